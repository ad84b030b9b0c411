#include "watch/cgroups.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/table.h"
#include "record/recent.h"

enum { PATHS_MAX = 16384, WALK_EVERY_MS = 1000, SHORT_ID = 12, LONG_ID = 64, ID_LEAST = 4 };

struct cgroups {
    struct recent *of_process; /* pid → number */
    struct table *paths;       /* number → path; "" not known */
    char root[PATH_MAX];       /* where the hierarchy is mounted; "" nowhere */
    int64_t walked_ms;
};

/* Where cgroup2 is mounted; "" nowhere. */
static void find_root(char root[PATH_MAX])
{
    char *line = NULL;
    size_t room = 0;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    root[0] = 0;
    while (file && !root[0] && getline(&line, &room, file) > 0) {
        char at[PATH_MAX];
        if (strstr(line, " - cgroup2 ") && sscanf(line, "%*s %*s %*s %*s %4095s", at) == 1) memcpy(root, at, strlen(at) + 1);
    }
    free(line);
    if (file) fclose(file);
}

struct cgroups *cgroups_new(void)
{
    struct cgroups *cgroups = calloc(1, sizeof(*cgroups));
    if (!cgroups) return NULL;
    cgroups->of_process = recent_new(sizeof(int32_t));
    cgroups->paths = table_new(sizeof(uint32_t));
    find_root(cgroups->root);
    if (cgroups->of_process && cgroups->paths) return cgroups;
    cgroups_free(cgroups);
    return NULL;
}

static void forget_paths(struct cgroups *cgroups)
{
    void *value;
    for (size_t cursor = 0; cgroups->paths && table_next(cgroups->paths, &cursor, NULL, &value);) free(value);
    table_free(cgroups->paths);
    cgroups->paths = NULL;
}

void cgroups_free(struct cgroups *cgroups)
{
    if (!cgroups) return;
    forget_paths(cgroups);
    recent_free(cgroups->of_process);
    free(cgroups);
}

/* ---- paths ---- */

static bool has_number(const struct cgroups *cgroups, const char *path, uint32_t number)
{
    char whole[PATH_MAX];
    struct stat status;
    int length = snprintf(whole, sizeof(whole), "%s%s", cgroups->root, path);
    return length > 0 && (size_t)length < sizeof(whole) && stat(whole, &status) == 0 && (uint32_t)status.st_ino == number;
}

/* The process may have moved, or gone: what its file says counts where it is the cgroup that the kernel named. */
static char *path_by_process(const struct cgroups *cgroups, int32_t pid, uint32_t number)
{
    char name[64], *line = NULL, *path = NULL;
    size_t room = 0;
    snprintf(name, sizeof(name), "/proc/%d/cgroup", pid);
    FILE *file = fopen(name, "re");
    while (file && !path && getline(&line, &room, file) > 0) {
        if (strncmp(line, "0::", 3) != 0) continue;
        line[strcspn(line, "\n")] = 0;
        if (has_number(cgroups, line + 3, number)) path = strdup(line + 3);
    }
    free(line);
    if (file) fclose(file);
    return path;
}

/* nftw(3) hands no data on: what is looked for stands here while it goes. */
static _Thread_local struct {
    uint32_t number;
    size_t root_length;
    char *path;
} walk;

static int look_at(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)at;
    if (kind != FTW_D || (uint32_t)status->st_ino != walk.number) return 0;
    walk.path = strdup(path[walk.root_length] ? path + walk.root_length : "/");
    return 1;
}

static char *path_by_walk(struct cgroups *cgroups, uint32_t number)
{
    enum { OPEN_AT_ONCE = 16 };
    walk.number = number;
    walk.root_length = strlen(cgroups->root);
    walk.path = NULL;
    (void)nftw(cgroups->root, look_at, OPEN_AT_ONCE, FTW_PHYS | FTW_MOUNT);
    cgroups->walked_ms = clock_ms();
    return walk.path;
}

static void learn_path(struct cgroups *cgroups, uint32_t number, int32_t pid)
{
    if (table_get(cgroups->paths, &number)) return;
    if (table_count(cgroups->paths) >= PATHS_MAX) {
        forget_paths(cgroups);
        cgroups->paths = table_new(sizeof(uint32_t));
        if (!cgroups->paths) return;
    }
    char *path = path_by_process(cgroups, pid, number);
    /* Not long after a walk nothing is learnt, nor that there is nothing: the next process there asks again. */
    if (!path && cgroups->root[0] && clock_ms() - cgroups->walked_ms < WALK_EVERY_MS) return;
    if (!path && cgroups->root[0]) path = path_by_walk(cgroups, number);
    if (!path) path = strdup("");
    if (path && table_put(cgroups->paths, &number, path)) free(path);
}

void cgroups_take(struct cgroups *cgroups, const struct event *event)
{
    if ((event->kind != EVENT_ENTER && event->kind != EVENT_EXIT) || !event->call.cgroup || !cgroups->paths) return;
    int32_t pid = event->call.thread.pid;
    uint32_t number = event->call.cgroup;
    if (recent_get(cgroups->of_process, &pid) == number) return;
    if (!recent_put(cgroups->of_process, &pid, number)) learn_path(cgroups, number, pid);
}

const char *cgroups_path(const struct cgroups *cgroups, int32_t pid)
{
    uint32_t number = pid ? (uint32_t)recent_get(cgroups->of_process, &pid) : 0;
    const char *path = number && cgroups->paths ? table_get(cgroups->paths, &number) : NULL;
    return path && path[0] ? path : NULL;
}

/* ---- names ---- */

struct component {
    const char *text;
    size_t length;
};

/* The next one of the path; false: that was the last. */
static bool next_component(const char **at, struct component *ret_component)
{
    *at += strspn(*at, "/");
    ret_component->text = *at;
    ret_component->length = strcspn(*at, "/");
    *at += ret_component->length;
    return ret_component->length > 0;
}

static bool is_id(const char *text, size_t length)
{
    if (length != LONG_ID) return false;
    for (size_t i = 0; i < length; i++)
        if (!isxdigit((unsigned char)text[i])) return false;
    return true;
}

static bool begins(const struct component *component, const char *prefix)
{
    size_t length = strlen(prefix);
    return component->length > length && memcmp(component->text, prefix, length) == 0;
}

/* "PREFIX-ID.scope" as systemd's driver has it, or ID alone in a folder of that name: the id; NULL. */
static const char *id_of(const struct component *component, const char *prefix, const struct component *folder)
{
    static const char scope[] = ".scope";
    size_t length = component->length, tail = sizeof(scope) - 1, head = strlen(prefix);
    if (length > tail && memcmp(component->text + length - tail, scope, tail) == 0) length -= tail;
    bool named = begins(component, prefix) && length > head && component->text[head] == '-';
    if (named && is_id(component->text + head + 1, length - head - 1)) return component->text + head + 1;
    bool inside = folder->length == head && memcmp(folder->text, prefix, head) == 0;
    return inside && is_id(component->text, component->length) ? component->text : NULL;
}

static void put_label(char label[CGROUPS_LABEL_BYTES], const char *prefix, const char *text, size_t length)
{
    snprintf(label, CGROUPS_LABEL_BYTES, "%s-%.*s", prefix, (int)(length < 48 ? length : 48), text);
}

/* What runs a container by a name of its own. */
static bool take_name(const struct component *component, char label[CGROUPS_LABEL_BYTES])
{
    static const struct {
        const char *before, *behind, *label;
    } forms[] = {
        {"lxc.payload.", "", "lxc"},
        {"machine-", ".scope", "machine"},
        {"systemd-nspawn@", ".service", "machine"},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        size_t head = strlen(forms[i].before), tail = strlen(forms[i].behind);
        if (!begins(component, forms[i].before) || component->length <= head + tail) continue;
        if (memcmp(component->text + component->length - tail, forms[i].behind, tail) != 0) continue;
        put_label(label, forms[i].label, component->text + head, component->length - head - tail);
        return true;
    }
    return false;
}

bool cgroups_container(const char *path, char label[CGROUPS_LABEL_BYTES])
{
    static const char *const engines[] = {"docker", "libpod", "cri-containerd", "crio", "containerd"};
    struct component component, folder = {"", 0};
    bool found = false, kube = false;
    for (const char *at = path; next_component(&at, &component); folder = component) {
        kube = kube || (component.length >= 8 && memcmp(component.text, "kubepods", 8) == 0);
        if (take_name(&component, label)) found = true;
        for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
            const char *id = id_of(&component, engines[i], &folder);
            if (!id) continue;
            put_label(label, kube ? "kube" : engines[i], id, SHORT_ID);
            found = true;
        }
        /* The driver that writes folders itself: kubepods/burstable/podUID/ID. */
        if (kube && is_id(component.text, component.length)) {
            put_label(label, "kube", component.text, SHORT_ID);
            found = true;
        }
    }
    return found;
}

static bool is_below(const char *wish, const char *path)
{
    size_t length = strlen(wish);
    while (length > 1 && wish[length - 1] == '/') length--;
    if (length == 1) return true;
    return strncmp(path, wish, length) == 0 && (!path[length] || path[length] == '/');
}

bool cgroups_match(const char *wish, const char *path)
{
    char label[CGROUPS_LABEL_BYTES], text[NAME_MAX + 1];
    struct component component;
    if (wish[0] == '/') return is_below(wish, path);
    bool container = cgroups_container(path, label);
    if (container && fnmatch(wish, label, 0) == 0) return true;
    const char *id = container ? strrchr(label, '-') + 1 : ""; /* of an engine that has ids */
    if (strlen(id) != SHORT_ID) id = "";
    for (const char *at = path; next_component(&at, &component);) {
        if (component.length > NAME_MAX) continue;
        memcpy(text, component.text, component.length);
        text[component.length] = 0;
        if (fnmatch(wish, text, 0) == 0) return true;
        const char *whole = *id ? strstr(text, id) : NULL; /* the id in full */
        if (whole && strlen(wish) >= ID_LEAST && strncmp(whole, wish, strlen(wish)) == 0) return true;
    }
    return false;
}

int cgroups_check(const char *wish, struct err *err)
{
    char root[PATH_MAX], whole[PATH_MAX * 2];
    struct stat status;
    if (wish[0] != '/') return 0;
    find_root(root);
    snprintf(whole, sizeof(whole), "%s%s", root, wish);
    if (root[0] && stat(whole, &status) == 0 && S_ISDIR(status.st_mode)) return 0;
    return err_set(err, -EINVAL, "--cgroup: there is no cgroup '%s'%s%s", wish,
                   root[0] ? tr(" below ") : tr(": cgroup v2 is not mounted"), root);
}
