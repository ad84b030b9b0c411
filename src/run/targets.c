#include "run/targets.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "capture/procinfo.h"
#include "capture/procsockets.h"
#include "record/listeners.h"

static bool is_known(const struct targets *targets, pid_t pid)
{
    for (size_t i = 0; i < targets->count; i++)
        if (targets->pids[i] == pid) return true;
    return false;
}

static void add(void *data, pid_t pid)
{
    struct targets *targets = data;
    if (is_known(targets, pid)) return;
    if (targets->count == targets->room) {
        size_t room = targets->room ? targets->room * 2 : 16;
        pid_t *pids = reallocarray(targets->pids, room, sizeof(*pids));
        if (!pids) {
            targets->code = -ENOMEM;
            return;
        }
        targets->pids = pids;
        targets->room = room;
    }
    targets->pids[targets->count++] = pid;
}

static int find_asked(struct targets *targets, const struct targets_options *options, struct err *err)
{
    for (size_t i = 0; i < options->process_count; i++) add(targets, options->processes[i]);
    for (size_t i = 0; i < options->port_count && !targets->code; i++) {
        unsigned port = options->ports[i];
        int count = procsockets_listeners(options->ports[i], add, targets);
        if (count == -EACCES)
            return err_set(err, -EPERM, "whoever listens at port %u belongs to another user: run it as root (sudo)", port);
        if (count < 0) return err_set_errno(err, count, "can't look who listens at port %u", port);
        if (count == 0) return err_set(err, -ESRCH, "no process listens at TCP port %u", port);
    }
    targets->asked = targets->count;
    return targets->code ? err_set_errno(err, targets->code, "can't list the processes") : 0;
}

static uint32_t netns_of(pid_t pid)
{
    char path[64];
    struct stat netns;
    snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
    return stat(path, &netns) == 0 ? (uint32_t)netns.st_ino : 0;
}

static void note_port(struct targets *targets, uint16_t port)
{
    targets->ports[port / 8] |= (uint8_t)(1 << port % 8);
}

static void take_socket(void *data, const struct event_socket *socket)
{
    struct targets *targets = data;
    targets->sockets++;
    if (socket->protocol == IPPROTO_TCP && socket->remote.port) {
        note_port(targets, socket->local.port);
        note_port(targets, socket->remote.port);
    }
    int code = session_want(targets->session, socket, targets->netns);
    if (code && !targets->code) targets->code = code;
}

static int follow(struct targets *targets, size_t i, struct err *err)
{
    pid_t pid = targets->pids[i];
    bool is_asked = i < targets->asked;
    int code = session_attach(targets->session, pid, err);
    if (code == -ESRCH && is_asked) return err_set(err, code, "there is no process %d", (int)pid);
    if (code == -ESRCH) return 0; /* it ended meanwhile */
    if (code) return code;
    targets->netns = netns_of(pid);
    if (targets->netns) networks_entered(targets->networks, pid, targets->netns); /* that it can't be is said there */
    code = procsockets_of(pid, take_socket, targets);
    if (code == -ENOMEM) targets->code = code;
    return targets->code ? err_set_errno(err, targets->code, "can't keep the sockets of process %d", (int)pid) : 0;
}

/* Those whose parent is followed. Those that are born from now on the recorder follows by itself. */
static void find_descendants(struct targets *targets)
{
    size_t before;
    do {
        DIR *folder = opendir("/proc");
        before = targets->count;
        for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
            long pid = strtol(entry->d_name, NULL, 10);
            if (pid > 0 && is_known(targets, procinfo_status((pid_t)pid, "PPid"))) add(targets, (pid_t)pid);
        }
        if (folder) closedir(folder);
    } while (targets->count > before && !targets->code);
}

struct listening {
    uint16_t *ports;
    size_t count, most;
};

static void take_listening(void *data, const struct event_socket *socket)
{
    struct listening *listening = data;
    if (socket->state != KERNEL_LISTEN) return;
    for (size_t i = 0; i < listening->count; i++)
        if (listening->ports[i] == socket->local.port) return;
    if (listening->count < listening->most) listening->ports[listening->count++] = socket->local.port;
}

void targets_ports(const struct targets_options *options, uint16_t *ret_ports, size_t most)
{
    struct targets targets = {0};
    struct listening listening = {.ports = ret_ports, .most = most};
    struct err ignored;
    memset(ret_ports, 0, most * sizeof(*ret_ports));
    if (!find_asked(&targets, options, &ignored)) find_descendants(&targets);
    for (size_t i = 0; i < targets.count; i++) (void)procsockets_of(targets.pids[i], take_listening, &listening);
    targets_free(&targets);
}

int targets_follow(struct targets *targets, const struct targets_options *options, struct session *session,
                   struct networks *networks, struct err *err)
{
    *targets = (struct targets){.session = session, .networks = networks};
    int code = find_asked(targets, options, err);
    for (size_t i = 0; i < targets->count && !code; i++) code = follow(targets, i, err);
    size_t done = targets->count;
    if (!code) find_descendants(targets);
    for (size_t i = done; i < targets->count && !code; i++) code = follow(targets, i, err);
    return code ? code : listeners_tell(session, NULL, 0, targets->ports, err);
}

void targets_free(struct targets *targets)
{
    free(targets->pids);
    targets->pids = NULL;
}
