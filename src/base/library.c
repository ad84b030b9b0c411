#include "base/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

/* libcurl.so.4 is in Debian's package libcurl4. */
static int not_here(const char *soname, struct err *err)
{
    const char *reason = dlerror(), *version = strstr(soname, ".so.");
    int bare = version ? (int)(version - soname) : (int)strlen(soname);
    return err_set(err, -ENOENT, "%s is needed for this, and can't be loaded (Debian: %.*s%s): %s", soname, bare, soname,
                   version ? version + strlen(".so.") : "", reason ? reason : "?");
}

int library_load(const char *soname, const char *const *names, void *ret_functions, struct err *err)
{
    void *handle = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
    if (!handle) return not_here(soname, err);
    unsigned char *at = ret_functions;
    for (; *names; names++) {
        void *found = dlsym(handle, *names);
        if (!found) {
            dlclose(handle);
            return err_set(err, -ENOENT, "%s is too old: it has no %s", soname, *names);
        }
        memcpy(at, &found, sizeof(found)); /* POSIX: a function's address fits into a void pointer; ISO C has no such cast */
        at += sizeof(found);
    }
    return 0;
}
