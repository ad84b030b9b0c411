/* Which files can still be opened: Landlock, by its system calls, which the C library has no functions for. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rights/rights.h"

#if __has_include(<linux/landlock.h>)
#include <linux/landlock.h>

/* The bits of each version of the kernel's interface: what it does not know it refuses. */
static uint64_t rights_of(long version)
{
    static const int bits[] = {0, 13, 14, 15, 15, 16}; /* by version: 2 added LINK_OR_RENAME, 3 TRUNCATE, 5 IOCTL_DEV */
    long last = (long)(sizeof(bits) / sizeof(bits[0])) - 1;
    return ((uint64_t)1 << bits[version < last ? version : last]) - 1;
}

static int allow(int ruleset, const char *path)
{
    struct stat status;
    struct landlock_path_beneath_attr rule = {.parent_fd = open(path, O_PATH | O_CLOEXEC)};
    if (rule.parent_fd < 0) return errno == ENOENT || errno == EACCES ? 0 : -errno; /* then there is nothing to read */
    rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
    if (fstat(rule.parent_fd, &status) == 0 && S_ISDIR(status.st_mode)) rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
    int code = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
    close(rule.parent_fd);
    return code;
}

int rights_close_files(const char *const *readable, struct err *err)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) return 0; /* before 5.13, built without it, or switched off */
    const struct landlock_ruleset_attr rules = {.handled_access_fs = rights_of(version)};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
    if (ruleset < 0) return err_set_errno(err, -errno, "can't confine which files are opened");
    int code = 0;
    for (size_t i = 0; !code && readable[i]; i++)
        if (readable[i][0]) code = allow(ruleset, readable[i]);
    if (!code && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0) code = -errno;
    close(ruleset);
    return code ? err_set_errno(err, code, "can't confine which files are opened") : 0;
}

#else /* headers of before 5.13 */

int rights_close_files(const char *const *readable, struct err *err)
{
    (void)readable, (void)err;
    return 0;
}

#endif
