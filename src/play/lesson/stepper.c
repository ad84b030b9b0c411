#include "play/lesson/stepper.h"
#include "base/lang.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "viz/text/text_pen.h"

enum { STEPPER_BYTES = 1 << 20, KEY_INTERRUPT = 3, KEY_END_OF_FILE = 4, ESCAPE = 27, ESCAPE_WAITS_MS = 50 };
/* ECMA-48 and xterm: another screen, no cursor; the way back; home, and erase what is below. */
#define SCREEN_ENTER "\033[?1049h\033[?25l"
#define SCREEN_LEAVE "\033[?25h\033[?1049l"
#define SCREEN_HOME "\033[H\033[J"

enum move { MOVE_NONE, MOVE_ON, MOVE_BACK, MOVE_QUIT, MOVE_SIGNAL };

struct stepper {
    struct termios before;
    sigset_t mask;
    int signal_fd;
    int signal;
};

bool stepper_is_possible(void)
{
    const char *term = getenv("TERM");
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}

static void say(const char *text, size_t length)
{
    while (length) {
        ssize_t written = write(STDOUT_FILENO, text, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        text += written;
        length -= (size_t)written;
    }
}

/* Keys come one by one, and as what they are: also ^C, so that nothing ends the program while the terminal is not as it was. */
static int take_terminal(struct stepper *stepper, struct err *err)
{
    static const int taken[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
    struct termios raw;
    sigset_t signals;
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) sigaddset(&signals, taken[i]);
    if (tcgetattr(STDIN_FILENO, &stepper->before) || sigprocmask(SIG_BLOCK, &signals, &stepper->mask)) {
        int code = -errno;
        return err_set_errno(err, code, "can't step at this terminal");
    }
    stepper->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    raw = stepper->before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    int code = stepper->signal_fd < 0 || tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) ? -errno : 0;
    if (!code) {
        say(SCREEN_ENTER, strlen(SCREEN_ENTER));
        return 0;
    }
    if (stepper->signal_fd >= 0) close(stepper->signal_fd);
    sigprocmask(SIG_SETMASK, &stepper->mask, NULL);
    return err_set_errno(err, code, "can't step at this terminal");
}

static void give_terminal_back(struct stepper *stepper)
{
    say(SCREEN_LEAVE, strlen(SCREEN_LEAVE));
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &stepper->before);
    struct signalfd_siginfo info;
    while (read(stepper->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) continue; /* it has been heard */
    close(stepper->signal_fd);
    sigprocmask(SIG_SETMASK, &stepper->mask, NULL);
}

static bool has_input(int timeout_ms)
{
    struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&fd, 1, timeout_ms) > 0 && fd.revents & POLLIN;
}

/* What stands behind an escape: an arrow, or nothing that is known. */
static enum move read_escape(void)
{
    char bytes[8] = "";
    size_t got = 0;
    while (got < sizeof(bytes) - 1 && has_input(ESCAPE_WAITS_MS) && read(STDIN_FILENO, &bytes[got], 1) == 1)
        if (got++ && bytes[got - 1] >= '@') break;
    if (!got) return MOVE_QUIT; /* the key by itself */
    if (bytes[0] != '[' && bytes[0] != 'O') return MOVE_NONE;
    return bytes[got - 1] == 'C' || bytes[got - 1] == 'B'   ? MOVE_ON
           : bytes[got - 1] == 'D' || bytes[got - 1] == 'A' ? MOVE_BACK
                                                            : MOVE_NONE;
}

static enum move read_key(struct stepper *stepper)
{
    char key;
    ssize_t got = read(STDIN_FILENO, &key, 1);
    if (got < 0 && errno == EINTR) return MOVE_NONE;
    if (got <= 0) return MOVE_QUIT; /* the terminal has gone */
    switch (key) {
    case '\n':
    case '\r':
    case ' ':
    case 'l':
    case 'j':
        return MOVE_ON;
    case 'h':
    case 'k':
    case 'b':
    case 127:
        return MOVE_BACK;
    case 'q':
    case KEY_END_OF_FILE:
        return MOVE_QUIT;
    case KEY_INTERRUPT:
        stepper->signal = SIGINT;
        return MOVE_SIGNAL;
    case ESCAPE:
        return read_escape();
    default:
        return MOVE_NONE;
    }
}

static enum move next_move(struct stepper *stepper)
{
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = stepper->signal_fd, .events = POLLIN}};
    struct signalfd_siginfo info;
    if (poll(fds, 2, -1) < 0) return errno == EINTR ? MOVE_NONE : MOVE_QUIT;
    if (fds[1].revents && read(stepper->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGTSTP) return MOVE_NONE; /* nobody would give the terminal back */
        stepper->signal = (int)info.ssi_signo;
        return MOVE_SIGNAL;
    }
    return fds[0].revents ? read_key(stepper) : MOVE_NONE;
}

static int draw(const struct lesson *lesson, size_t at, size_t count, struct err *err)
{
    struct buf out = buf_new(STEPPER_BYTES);
    struct pen pen = pen_new(&lesson->look, lesson->look.width ? lesson->look.width : 80, &out);
    buf_text(&out, SCREEN_HOME);
    int code = lesson_draw(lesson, at, &out, err);
    layout_addf(&pen.text, STYLE_BOLD, tr("%zu of %zu   Enter or → goes on, ← back, q ends"), at, count);
    pen_flush(&pen, 0, STYLE_PLAIN, "");
    int pen_code = pen_end(&pen);
    if (!code && pen_code) code = err_set_errno(err, pen_code, "can't draw the lesson");
    if (!code) say(out.data, out.length - 1); /* without the last newline: nothing scrolls */
    buf_free(&out);
    return code;
}

int stepper_run(const struct lesson *lesson, int *ret_signal, struct err *err)
{
    struct stepper stepper = {.signal_fd = -1};
    size_t count = 1, at = 1;
    enum move move = MOVE_NONE;
    int code = lesson_count(lesson, &count, err);
    if (!code) code = take_terminal(&stepper, err);
    if (code) return code;
    do {
        code = draw(lesson, at, count, err);
        if (code) break;
        move = next_move(&stepper);
        if (move == MOVE_ON && at == count) move = MOVE_QUIT;
        if (move == MOVE_ON) at++;
        if (move == MOVE_BACK && at > 1) at--;
    } while (move != MOVE_QUIT && move != MOVE_SIGNAL);
    give_terminal_back(&stepper);
    *ret_signal = stepper.signal;
    if (!code && move == MOVE_SIGNAL) return -EINTR;
    struct buf out = buf_new(STEPPER_BYTES);
    if (!code) code = lesson_draw(lesson, at, &out, err);
    if (!code) say(out.data, out.length);
    buf_free(&out);
    return code;
}
