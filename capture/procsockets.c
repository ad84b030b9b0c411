#include "capture/procsockets.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEX_BYTES = 33, PATH_BYTES = 64, LINK_BYTES = 64, LINE_BYTES = 512 };

struct inodes {
    uint64_t *list;
    size_t count, room;
};

static int add_inode(struct inodes *inodes, uint64_t inode)
{
    if (inodes->count == inodes->room) {
        size_t room = inodes->room ? inodes->room * 2 : 64;
        uint64_t *list = reallocarray(inodes->list, room, sizeof(*list));
        if (!list) return -ENOMEM;
        inodes->list = list;
        inodes->room = room;
    }
    inodes->list[inodes->count++] = inode;
    return 0;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool has_inode(const struct inodes *inodes, uint64_t inode)
{
    return inodes->count && bsearch(&inode, inodes->list, inodes->count, sizeof(inode), compare);
}

/* The sockets among a process's descriptors, whatever their kind; sorted. */
static int read_inodes(pid_t pid, struct inodes *inodes)
{
    char path[PATH_BYTES], text[LINK_BYTES];
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    if (!folder) return errno == ENOENT ? -ESRCH : -errno;
    int code = 0;
    for (struct dirent *entry = readdir(folder); entry && !code; entry = readdir(folder)) {
        ssize_t length = readlinkat(dirfd(folder), entry->d_name, text, sizeof(text) - 1);
        uint64_t inode;
        if (length == -1) continue;
        text[length] = '\0';
        if (sscanf(text, "socket:[%" SCNu64 "]", &inode) == 1) code = add_inode(inodes, inode);
    }
    closedir(folder);
    if (inodes->count) qsort(inodes->list, inodes->count, sizeof(*inodes->list), compare);
    return code;
}

/* Words of 32 bits, each as this machine has it. */
static struct address address_from(const char *hex, unsigned port)
{
    uint8_t ip[16] = {0};
    size_t words = strlen(hex) / 8;
    for (size_t i = 0; i < words; i++) { /* 4 at most: HEX_BYTES */
        uint32_t value = 0;
        sscanf(hex + 8 * i, "%8" SCNx32, &value);
        memcpy(ip + 4 * i, &value, sizeof(value));
    }
    return words == 1 ? address_v4(ip, (uint16_t)port) : address_v6(ip, (uint16_t)port);
}

/* One line of a table; false: its first, or none that is understood. */
static bool read_row(const char *line, uint8_t protocol, struct event_socket *ret_socket, uint64_t *ret_inode)
{
    char local[HEX_BYTES], remote[HEX_BYTES];
    unsigned local_port, remote_port, state;
    if (sscanf(line, " %*d: %32[0-9A-F]:%x %32[0-9A-F]:%x %x %*s %*s %*s %*u %*u %" SCNu64, local, &local_port, remote,
               &remote_port, &state, ret_inode) != 6)
        return false;
    *ret_socket = (struct event_socket){.local = address_from(local, local_port), .protocol = protocol, .state = (uint8_t)state};
    if (remote_port) ret_socket->remote = address_from(remote, remote_port);
    return true;
}

/* Whom a row is given to. */
typedef int take_row(void *data, const struct event_socket *socket, uint64_t inode);

enum { TABLES = 4 };
static const struct {
    const char *name;
    uint8_t protocol;
} tables[TABLES] = {{"tcp", IPPROTO_TCP}, {"tcp6", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"udp6", IPPROTO_UDP}};

/* NULL: there is none (a kernel without IPv6; nobody has that number). */
static FILE *open_table(pid_t pid, size_t i)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)pid, tables[i].name);
    return fopen(path, "re");
}

/* Up to its end, or what `take` says. */
static int read_table(FILE *file, uint8_t protocol, take_row *take, void *data)
{
    char line[LINE_BYTES];
    int code = 0;
    while (!code && fgets(line, sizeof(line), file)) {
        struct event_socket socket;
        uint64_t inode;
        if (read_row(line, protocol, &socket, &inode)) code = take(data, &socket, inode);
    }
    fclose(file);
    return code;
}

static int read_tables(pid_t pid, take_row *take, void *data)
{
    int code = 0;
    for (size_t i = 0; i < TABLES && !code; i++) {
        FILE *file = open_table(pid, i);
        if (file) code = read_table(file, tables[i].protocol, take, data);
    }
    return code;
}

struct of_process {
    struct inodes inodes;
    void (*take)(void *data, const struct event_socket *socket);
    void *data;
    int count;
};

static int take_of_process(void *data, const struct event_socket *socket, uint64_t inode)
{
    struct of_process *of = data;
    if (!has_inode(&of->inodes, inode)) return 0;
    of->count++;
    of->take(of->data, socket);
    return 0;
}

int procsockets_of(pid_t pid, void (*take)(void *data, const struct event_socket *socket), void *data)
{
    struct of_process of = {.take = take, .data = data};
    int code = read_inodes(pid, &of.inodes);
    if (!code && of.inodes.count) code = read_tables(pid, take_of_process, &of);
    free(of.inodes.list);
    return code ? code : of.count;
}

struct of_port {
    struct inodes inodes;
    uint16_t port;
};

static int take_of_port(void *data, const struct event_socket *socket, uint64_t inode)
{
    struct of_port *of = data;
    bool listens = socket->protocol == IPPROTO_TCP && socket->state == KERNEL_LISTEN && socket->local.port == of->port;
    return listens ? add_inode(&of->inodes, inode) : 0;
}

/* Whether the process holds one of them. */
static bool holds(pid_t pid, const struct inodes *wanted)
{
    struct inodes held = {0};
    bool found = false;
    if (!read_inodes(pid, &held))
        for (size_t i = 0; i < wanted->count && !found; i++) found = has_inode(&held, wanted->list[i]);
    free(held.list);
    return found;
}

int procsockets_listeners(uint16_t port, void (*take)(void *data, pid_t pid), void *data)
{
    struct of_port of = {.port = port};
    int code = read_tables(getpid(), take_of_port, &of), count = 0;
    DIR *folder = !code && of.inodes.count ? opendir("/proc") : NULL;
    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10); /* 0: no process's folder; there is none of that */
        if (!holds(pid, &of.inodes)) continue;
        take(data, pid);
        count++;
    }
    if (folder) closedir(folder);
    if (!code && of.inodes.count && !count) code = -EACCES;
    free(of.inodes.list);
    return code ? code : count;
}

struct of_network {
    void (*take)(void *data, const struct address *local);
    void *data;
};

/* They stand before all others (tcp_get_idx): a host's hundred thousand connections need not be read. */
static int take_listening(void *data, const struct event_socket *socket, uint64_t inode)
{
    enum { THAT_IS_ALL = 1 };
    const struct of_network *of = data;
    (void)inode;
    if (socket->state != KERNEL_LISTEN) return THAT_IS_ALL;
    of->take(of->data, &socket->local);
    return 0;
}

int procsockets_listening(pid_t pid, void (*take)(void *data, const struct address *local), void *data)
{
    struct of_network of = {take, data};
    int code = -ENOENT;
    for (size_t i = 0; i < TABLES; i++) {
        FILE *file = tables[i].protocol == IPPROTO_TCP ? open_table(pid, i) : NULL;
        if (!file) continue;
        read_table(file, IPPROTO_TCP, take_listening, &of);
        code = 0;
    }
    return code;
}
