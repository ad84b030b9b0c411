/* What a watch knows of its host besides connections: cgroups and the containers they stand for, and the system's clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "watch/cgroups.h"
#include "watch/wall.h"

#define MS 1000000

/* ---- cgroups ---- */

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void a_cgroups_path_names_its_container(void **state)
{
    static const struct {
        const char *path, *label;
    } rows[] = {
        {"/system.slice/docker-" ID ".scope", "docker-0123456789ab"},
        {"/docker/" ID, "docker-0123456789ab"},
        {"/docker/" ID "/init.scope", "docker-0123456789ab"},
        {"/machine.slice/libpod-" ID ".scope/container", "libpod-0123456789ab"},
        {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-" ID ".scope", "kube-0123456789ab"},
        {"/kubepods/besteffort/pod7/" ID, "kube-0123456789ab"},
        {"/lxc.payload.web/system.slice", "lxc-web"},
        {"/machine.slice/machine-deb.scope", "machine-deb"},
        {"/machine.slice/systemd-nspawn@deb.service/payload", "machine-deb"},
        {"/", NULL},
        {"", NULL},
        {"/system.slice/docker.service", NULL},
        {"/system.slice/docker-" ID "0.scope", NULL},
        {"/system.slice/docker-short.scope", NULL},
        {"/user.slice/" ID, NULL},
        {"/lxc.payload.", NULL},
        {"/machine-.scope", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char label[CGROUPS_LABEL_BYTES] = "";
        assert_int_equal(cgroups_container(rows[i].path, label), rows[i].label != NULL);
        if (rows[i].label) assert_string_equal(label, rows[i].label);
    }
}

static void a_cgroup_is_chosen_by_path_or_name(void **state)
{
    static const char docker[] = "/system.slice/docker-" ID ".scope", service[] = "/system.slice/nginx.service";
    static const struct {
        const char *wish;
        bool docker, service;
    } rows[] = {
        {"/", true, true},
        {"/system.slice", true, true},
        {"/system.slice/", true, true},
        {"/system", false, false},
        {"/system.slice/nginx.service", false, true},
        {"nginx.service", false, true},
        {"nginx*", false, true},
        {"system.slice", true, true},
        {"docker-*", true, false},
        {"docker-0123456789ab", true, false},
        {"0123", true, false},
        {"012", false, false},
        {ID, true, false},
        {ID "0", false, false},
        {"1234", false, false},
        {"", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(cgroups_match(rows[i].wish, docker), rows[i].docker);
        assert_int_equal(cgroups_match(rows[i].wish, service), rows[i].service);
    }
}

/* In the hierarchy of a test's own: folders have numbers as cgroups do. */
static uint32_t folder_made(const char *root, const char *path)
{
    char whole[256];
    struct stat status;
    snprintf(whole, sizeof(whole), "%s%s", root, path);
    assert_int_equal(mkdir(whole, 0700), 0);
    assert_int_equal(stat(whole, &status), 0);
    return (uint32_t)status.st_ino;
}

static void call_from(struct cgroups *cgroups, int32_t pid, uint32_t number)
{
    const struct event event = {.kind = EVENT_ENTER, .call = {.thread = {.pid = pid, .tid = pid}, .cgroup = number}};
    cgroups_take(cgroups, &event);
}

/* As a watch does: it looks now and then, and nothing need happen. A test that waits in vain is ended from outside. */
static const char *path_looked_for(struct cgroups *cgroups, int32_t pid)
{
    while (!cgroups_path(cgroups, pid)) cgroups_look(cgroups);
    return cgroups_path(cgroups, pid);
}

enum { NO_PROCESS = 1 << 24 }; /* above all pids: /proc has none such */

static void one_walk_learns_all_cgroups_and_the_next_is_not_far(void **state)
{
    char root[] = "/tmp/tcpwhy-cgroups.XXXXXX";
    static const char *const paths[] = {"/a.slice", "/a.slice/b.scope", "/a.slice/b.scope/c", "/d", "/late"};
    enum { PATHS = sizeof(paths) / sizeof(paths[0]) };
    uint32_t number[PATHS];
    (void)state;
    assert_non_null(mkdtemp(root));
    struct cgroups *cgroups = cgroups_new(root);
    for (int i = 0; i < PATHS - 1; i++) number[i] = folder_made(root, paths[i]);
    call_from(cgroups, NO_PROCESS, number[2]); /* the first one: it is walked for at once */
    assert_string_equal(cgroups_path(cgroups, NO_PROCESS), paths[2]);
    number[PATHS - 1] = folder_made(root, paths[PATHS - 1]);
    for (int i = 0; i < PATHS - 1; i++) { /* without another walk, in which they would not be found */
        char whole[256];
        snprintf(whole, sizeof(whole), "%s%s", root, paths[PATHS - 2 - i]);
        assert_int_equal(rmdir(whole), 0);
    }
    for (int i = 0; i < PATHS - 1; i++) {
        call_from(cgroups, NO_PROCESS + 1 + i, number[i]);
        assert_string_equal(cgroups_path(cgroups, NO_PROCESS + 1 + i), paths[i]);
    }
    call_from(cgroups, NO_PROCESS + 10, number[PATHS - 1]); /* soon after that walk; no other call comes */
    assert_string_equal(path_looked_for(cgroups, NO_PROCESS + 10), "/late");
    cgroups_free(cgroups);
    char whole[256];
    snprintf(whole, sizeof(whole), "%s/late", root);
    assert_int_equal(rmdir(whole), 0);
    assert_int_equal(rmdir(root), 0);
}

static void what_was_not_found_is_asked_for_again(void **state)
{
    char root[] = "/tmp/tcpwhy-cgroups.XXXXXX", outside[] = "/tmp/tcpwhy-outside.XXXXXX", inside[256];
    struct stat status;
    (void)state;
    assert_non_null(mkdtemp(root));
    assert_non_null(mkdtemp(outside));
    assert_int_equal(stat(outside, &status), 0);
    struct cgroups *cgroups = cgroups_new(root);
    call_from(cgroups, NO_PROCESS, (uint32_t)status.st_ino);
    assert_null(cgroups_path(cgroups, NO_PROCESS));
    snprintf(inside, sizeof(inside), "%s/inside", root);
    assert_int_equal(rename(outside, inside), 0);
    while (!cgroups_path(cgroups, NO_PROCESS)) call_from(cgroups, NO_PROCESS, (uint32_t)status.st_ino); /* the same process */
    assert_string_equal(cgroups_path(cgroups, NO_PROCESS), "/inside");
    cgroups_free(cgroups);
    assert_int_equal(rmdir(inside), 0);
    assert_int_equal(rmdir(root), 0);
}

/* ---- the system's clock ---- */

static void a_clock_that_was_set_is_told_from_noise_and_from_sleep(void **state)
{
    const int64_t hour_ns = (int64_t)3600 * 1000 * MS;
    static const struct {
        int64_t wall_ms, event_ms, asleep_ms;
        const char *said; /* NULL: nothing */
        int64_t shift_ms;
    } rows[] = {
        {0, 0, 5000, NULL, 0}, /* slept before the watch began */
        {99, 0, 5000, NULL, 0},
        {901, 1000, 5000, NULL, 0},
        {3601000, 1000, 5000, "set forward by 1 h", 3600000},
        {3602000, 2000, 5000, NULL, 3600000}, /* said once */
        {3000, 3000, 5000, "set back by 1 h", 0},
        {63000, 3000, 65000, "asleep for 1 min", 60000},
        {64000, 4000, 65000, NULL, 60000},
        {224000, 4000, 165000, "set forward by 1 min", 220000}, /* and slept */
    };
    struct wall wall = {0, 0, false};
    char text[WALL_TEXT_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct wall_clocks now = {hour_ns + rows[i].wall_ms * MS, hour_ns + rows[i].event_ms * MS, rows[i].asleep_ms * MS};
        text[0] = 0;
        assert_int_equal(wall_look(&wall, &now, text), rows[i].said != NULL);
        if (rows[i].said && !strstr(text, rows[i].said)) fail_msg("row %zu: %s", i, text);
        assert_int_equal(wall.shift_ns, rows[i].shift_ms * MS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cgroups_path_names_its_container),
        cmocka_unit_test(a_cgroup_is_chosen_by_path_or_name),
        cmocka_unit_test(one_walk_learns_all_cgroups_and_the_next_is_not_far),
        cmocka_unit_test(what_was_not_found_is_asked_for_again),
        cmocka_unit_test(a_clock_that_was_set_is_told_from_noise_and_from_sleep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
