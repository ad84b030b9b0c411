#include "play/stage/port.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/lang.h"
#include "lab/network/host.h"

/* bind(2) as the demo's server will. */
static bool is_bindable(const struct port *port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port->number), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port->number), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(port->ipv6 ? AF_INET6 : AF_INET, (port->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0) return true; /* who needs one will tell */
    /* What is left in TIME_WAIT keeps nobody away. */
    if (!port->udp && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0) {
        close(fd);
        return true; /* then bind() would take them for one that is in use */
    }
    int failed = port->ipv6 ? bind(fd, (struct sockaddr *)&v6, sizeof(v6)) : bind(fd, (struct sockaddr *)&v4, sizeof(v4));
    /* With SO_REUSEADDR two may have a port as long as none of them listens. */
    if (!failed && !port->udp) failed = listen(fd, 0);
    int number = errno;
    close(fd);
    return !failed || number != EADDRINUSE;
}

/* The inode of the socket that listens (or, UDP, is bound) there: the tenth field of a line of /proc/net/tcp. 0: none is found. */
static unsigned long find_inode(const struct port *port)
{
    enum { LISTEN = 10 };
    static const char *const paths[2][2] = {{"/proc/self/net/tcp", "/proc/self/net/tcp6"},
                                            {"/proc/self/net/udp", "/proc/self/net/udp6"}};
    unsigned long found = 0;
    for (size_t i = 0; i < 2 && !found; i++) {
        char line[512];
        FILE *file = fopen(paths[port->udp][i], "re");
        while (file && !found && fgets(line, sizeof(line), file)) {
            unsigned local, state;
            unsigned long inode;
            if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*u %lu", &local, &state, &inode) == 3 &&
                local == port->number && (port->udp || state == LISTEN))
                found = inode;
        }
        if (file) fclose(file);
    }
    return found;
}

static bool holds(const char *pid, const char *link)
{
    char path[300], target[64];
    snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    DIR *folder = opendir(path);
    bool found = false;
    for (struct dirent *entry; folder && !found && (entry = readdir(folder));) {
        ssize_t length = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
        if (length <= 0) continue;
        target[length] = '\0';
        found = !strcmp(target, link);
    }
    if (folder) closedir(folder);
    return found;
}

/* "nginx[812]"; false where this process may not see who it is. */
static bool find_holder(unsigned long inode, char *text, size_t room)
{
    char link[64], path[300], comm[32] = "";
    snprintf(link, sizeof(link), "socket:[%lu]", inode);
    DIR *folder = opendir("/proc");
    bool found = false;
    for (struct dirent *entry; folder && !found && (entry = readdir(folder));) {
        if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name) || !holds(entry->d_name, link)) continue;
        snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
        FILE *file = fopen(path, "re");
        if (file && fgets(comm, sizeof(comm), file)) comm[strcspn(comm, "\n")] = '\0';
        if (file) fclose(file);
        snprintf(text, room, "%s[%s]", comm, entry->d_name);
        found = true;
    }
    if (folder) closedir(folder);
    return found;
}

int port_check(const struct port *port, struct err *err)
{
    const char *kind = port->udp ? tr("UDP port") : tr("port");
    char holder[320];
    snprintf(holder, sizeof(holder), "%s", tr("another process"));
    if (!is_bindable(port)) {
        unsigned long inode = find_inode(port);
        if (inode) find_holder(inode, holder, sizeof(holder));
        return err_set(err, -EADDRINUSE, "%s %u is taken on this host's network, by %s: choose another one with --port", kind,
                       (unsigned)port->number, holder);
    }
    if (!port->udp && host_has_active_socket(port->number))
        return err_set(
            err, -EADDRINUSE,
            "a connection of port %u is under way on this host's network, and it is not the demo's: choose another one with "
            "--port",
            (unsigned)port->number);
    return 0;
}
