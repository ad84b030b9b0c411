#include "capture/procinfo.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

/* Up to size - 1 bytes and a NUL; 0 where it can't be read. One read: these files are made on demand and small. */
static size_t slurp(const char *path, char *bytes, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1) return 0;
    ssize_t got = read(fd, bytes, size - 1);
    close(fd);
    size_t length = got > 0 ? (size_t)got : 0;
    bytes[length] = '\0';
    return length;
}

void procinfo_comm(pid_t tid, char comm[EVENT_COMM_BYTES])
{
    char path[64], text[64];
    const size_t most = EVENT_COMM_BYTES - 1;
    snprintf(path, sizeof(path), "/proc/%d/comm", (int)tid);
    size_t length = slurp(path, text, sizeof(text));
    if (!length) return;
    /* The file ends with a newline of its own; a name may hold others. */
    if (text[length - 1] == '\n') length--;
    if (length > most) length = most;
    memset(comm, 0, EVENT_COMM_BYTES);
    memcpy(comm, text, length);
}

int procinfo_status(pid_t tid, const char *field)
{
    char path[64], text[4096];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
    if (!slurp(path, text, sizeof(text))) return -1;
    /* Name: comes first and is escaped by the kernel, so no name can pass for a line of its own. */
    size_t length = strlen(field);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, field, length) == 0 && line[length] == ':') return (int)strtol(line + length + 1, NULL, 10);
    }
    return -1;
}

bool procinfo_is_32_bit(pid_t pid)
{
    char path[64], ident[EI_NIDENT + 1];
    snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
    return slurp(path, ident, sizeof(ident)) && ident[EI_CLASS] == ELFCLASS32; /* what runs is an ELF file */
}

bool procinfo_is_unraised(pid_t pid)
{
    char path[64];
    struct stat program = {0}; /* of one that is gone */
    snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
    (void)stat(path, &program);
    bool user = program.st_mode & S_ISUID && (int)program.st_uid != procinfo_status(pid, "Uid");
    bool group = program.st_mode & S_ISGID && (int)program.st_gid != procinfo_status(pid, "Gid");
    return (user || group) && procinfo_status(pid, "NoNewPrivs") == 1;
}

int procinfo_number(const char *path, int otherwise)
{
    char text[32];
    return slurp(path, text, sizeof(text)) ? (int)strtol(text, NULL, 10) : otherwise;
}

/* What stands behind the name in /proc/PID/stat, from the state's letter on; the name may hold anything, brackets too. NULL: no
 * such process. `text` holds it. */
static const char *behind_name(pid_t pid, char *text, size_t size)
{
    char path[48];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (!slurp(path, text, size)) return NULL;
    const char *name_end = strrchr(text, ')');
    return name_end ? name_end + 2 : NULL;
}

bool procinfo_sleeps(pid_t pid)
{
    char text[512];
    const char *state = behind_name(pid, text, sizeof(text));
    return state && state[0] == 'S';
}

/* What /proc counts time in: USER_HZ. */
static int64_t tick_ns(void)
{
    return (int64_t)1e9 / sysconf(_SC_CLK_TCK);
}

int64_t procinfo_began_ns(pid_t pid)
{
    enum { STATE_FIELD = 3, BEGAN_FIELD = 22 };
    char text[512];
    const char *at = behind_name(pid, text, sizeof(text));
    for (int field = STATE_FIELD; at && field < BEGAN_FIELD; field++) {
        at = strchr(at, ' ');
        if (at) at++;
    }
    return at ? strtoll(at, NULL, 10) * tick_ns() : -1;
}

bool procinfo_began_at(pid_t pid, int64_t steady_ns)
{
    int64_t began_ns = procinfo_began_ns(pid), apart_ns = began_ns - clock_asleep_ns() - steady_ns;
    return began_ns != -1 && llabs(apart_ns) / tick_ns() < 3;
}

uint64_t procinfo_netns(pid_t tid)
{
    char path[48] = "/proc/self/ns/net";
    struct stat status;
    if (tid) snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)tid);
    return stat(path, &status) == 0 ? status.st_ino : 0;
}
