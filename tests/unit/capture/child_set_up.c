/* What a child finds when it runs: its descriptors, its signals, its program. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "child_own.h"

#define SHELL(script) ((char *[]){(char[]){"/bin/sh"}, (char[]){"-c"}, (char[]){script}, NULL})

/* All from 3 to 12 are open here. */
void each_of_the_descriptors_to_keep_stays_and_those_between_them_go(void **state)
{
    (void)state;
    static const struct {
        int keep[4], inherited[3];
        size_t inherited_count;
        const char *open;
    } cases[] = {
        {{-1, -1, -1, -1}, {0}, 0, "0 1 2 "},
        {{3, -1, -1, -1}, {0}, 0, "0 1 2 3 "},
        {{4, 6, 7, 12}, {0}, 0, "0 1 2 4 6 7 12 "},
        {{-1, -1, -1, 5}, {0}, 0, "0 1 2 5 "},
        {{0, 1, 2, -1}, {0}, 0, "0 1 2 "}, /* stay anyway */
        {{12, 4, -1, -1}, {9, 4, 3}, 3, "0 1 2 3 4 9 12 "},
        {{-1, -1, -1, -1}, {11, 8}, 2, "0 1 2 8 11 "},
    };
    int here = open("/dev/null", O_RDWR | O_CLOEXEC), null = fcntl(here, F_DUPFD_CLOEXEC, 20);
    assert_true(here > 2 && null >= 20);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[200];
        int status;
        for (int fd = 3; fd <= 12; fd++) assert_int_equal(dup2(null, fd), fd);
        struct child_options options =
            options_of(SHELL("for n in 0 1 2 3 4 5 6 7 8 9 10 11 12; do [ -e /proc/$$/fd/$n ] && printf \"$n \"; done; true"));
        memcpy(options.keep_fds, cases[i].keep, sizeof(options.keep_fds));
        options.inherited = cases[i].inherited;
        options.inherited_count = cases[i].inherited_count;
        output_of(options, text, sizeof(text), &status);
        if (strcmp(text, cases[i].open) != 0) fail_msg("case %zu: %s", i, text);
    }
    for (int fd = 3; fd <= 12; fd++) close(fd);
    close(null);
}

static void do_nothing(int signal)
{
    (void)signal;
}

void what_its_parent_ignores_is_ignored_and_what_it_handles_is_not(void **state)
{
    (void)state;
    static const struct {
        void (*handler)(int);
        bool ends;
    } cases[] = {{SIG_IGN, false}, {SIG_DFL, true}, {do_nothing, true}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64];
        int status;
        struct sigaction before, action = {.sa_handler = cases[i].handler};
        assert_int_equal(sigaction(SIGUSR2, &action, &before), 0);
        output_of(options_of(SHELL("kill -USR2 $$; exit 7")), text, sizeof(text), &status);
        assert_int_equal(sigaction(SIGUSR2, &before, NULL), 0);
        if (status != (cases[i].ends ? SIGUSR2 : 7 << 8)) fail_msg("case %zu: %x", i, (unsigned)status);
    }
}

static void make_file(const char *folder, const char *text, mode_t mode)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/command", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

/* In a/ the command is a folder, in b/ it may not be executed, in c/ and d/ it may. */
void the_first_program_of_the_path_that_may_be_executed_runs(void **state)
{
    (void)state;
    static const struct {
        const char *folders; /* each letter stands for such a folder, ':' at an end for the one that we are in */
        const char *printed; /* NULL: none is found */
        int code;
    } cases[] = {
        {"c", "in c\n", 0},     {"d:c", "in d\n", 0}, {"a:c", "in c\n", 0}, {"b:c", "in c\n", 0},
        {"b:a", NULL, -EACCES}, {"a", NULL, -ENOENT}, {":d", "in c\n", 0},  {"a:", "in c\n", 0},
    };
    char folder[] = "/tmp/tcpwhy-child-XXXXXX", path[200], before[4096];
    assert_non_null(mkdtemp(folder));
    assert_non_null(getcwd(before, sizeof(before)));
    for (const char *name = "abcd"; *name; name++) {
        snprintf(path, sizeof(path), "%s/%c", folder, *name);
        assert_int_equal(mkdir(path, 0700), 0);
        if (*name == 'b') make_file(path, "#!/bin/sh\necho in b\n", 0600);
        if (*name == 'c') make_file(path, "#!/bin/sh\necho in c\n", 0700), assert_int_equal(chdir(path), 0);
        if (*name == 'd') make_file(path, "#!/bin/sh\necho in d\n", 0700);
        if (*name == 'a') strcat(path, "/command"), assert_int_equal(mkdir(path, 0700), 0);
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char variable[400] = "PATH=", text[64];
        for (const char *at = cases[i].folders; *at; at++)
            if (*at == ':')
                strcat(variable, ":");
            else
                snprintf(variable + strlen(variable), sizeof(variable) - strlen(variable), "%s/%c", folder, *at);
        struct child child;
        struct err err = {0};
        int status;
        struct child_options options = options_of((char *[]){(char[]){"command"}, NULL});
        options.environment = (char *[]){variable, NULL};
        if (cases[i].printed) {
            output_of(options, text, sizeof(text), &status);
            if (strcmp(text, cases[i].printed) != 0) fail_msg("%s: %s", cases[i].folders, text);
            continue;
        }
        assert_int_equal(child_spawn(&options, &child, &err), 0);
        assert_int_equal(child_release(&child, &err), 0);
        assert_int_equal(status_of(child.pid), 127 << 8);
        if (child_exec_error(&child, &err) != cases[i].code) fail_msg("%s: %s", cases[i].folders, err.text);
        child_close(&child);
    }
    assert_int_equal(chdir(before), 0);
    for (const char *name = "abcd"; *name; name++) {
        snprintf(path, sizeof(path), "%s/%c/command", folder, *name);
        assert_int_equal(remove(path), 0);
        *strrchr(path, '/') = '\0';
        assert_int_equal(rmdir(path), 0);
    }
    assert_int_equal(rmdir(folder), 0);
}

/* Where this process runs without standard input, a pipe of the child's gets its number. */
void without_standard_descriptors_its_pipes_are_not_taken_for_them(void **state)
{
    (void)state;
    char text[64];
    int status, saved = dup(0), saved_output = fcntl(1, F_DUPFD_CLOEXEC, 3);
    close(0);
    int pipes = dup(2); /* what is opened next gets 0 */
    assert_int_equal(pipes, 0);
    close(0);
    struct child_options options = options_of(SHELL("[ -e /proc/$$/fd/0 ] && echo open || echo closed"));
    struct child child;
    struct err err = {0};
    int out[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    int moved[2] = {fcntl(out[0], F_DUPFD_CLOEXEC, 3), fcntl(out[1], F_DUPFD_CLOEXEC, 3)};
    close(out[0]), close(out[1]);
    options.stdout_fd = moved[1];
    close(1);
    int code = child_spawn(&options, &child, &err);
    dup2(saved_output, 1), close(saved_output);
    if (saved >= 0) dup2(saved, 0), close(saved);
    assert_int_equal(code, 0);
    assert_true(child.gate_fd > 2 && child.error_fd > 2);
    close(moved[1]);
    assert_int_equal(child_release(&child, &err), 0);
    ssize_t got = read(moved[0], text, sizeof(text) - 1);
    text[got > 0 ? got : 0] = '\0';
    status = status_of(child.pid);
    assert_int_equal(status, 0);
    assert_string_equal(text, "closed\n");
    child_close(&child);
    close(moved[0]);
}

/* Root becomes another in all: user, group and further groups. Nobody else may. */
void another_person_is_another_in_all(void **state)
{
    (void)state;
    const struct child_person person = {"nobody", 65534, 65533};
    struct child_options options = options_of(SHELL("grep -E '^(Uid|Gid|Groups):' /proc/self/status | tr -d ' \\t'"));
    struct child child;
    struct err err = {0};
    options.person = &person;
    if (geteuid() == 0) {
        char text[200];
        int status;
        output_of(options, text, sizeof(text), &status);
        assert_string_equal(text, "Uid:65534655346553465534\nGid:65533655336553365533\nGroups:65533\n");
        return;
    }
    assert_int_equal(child_spawn(&options, &child, &err), 0);
    assert_int_equal(child_release(&child, &err), 0);
    status_of(child.pid);
    assert_int_equal(child_exec_error(&child, &err), -EPERM);
    assert_non_null(strstr(err.text, "can't be run as nobody"));
    child_close(&child);
}
