/* Libraries that many a run does without, and whose own libraries take longer to load than all the rest of the program: loaded when
 * it is first clear that they are needed, which is before files can no longer be opened (rights_close_files). Which version, the
 * build says (cmake/Dependencies.cmake): the one whose headers the pointers' types are from. */
#ifndef TCPWHY_BASE_LIBRARY_H
#define TCPWHY_BASE_LIBRARY_H

#include <stddef.h>

#include "base/err.h"

/* Loads the library of this soname and puts the addresses of `names` (NULL ends) one after the other into `ret_functions`, a struct
 * of as many function pointers in that order. It stays loaded until the program ends: what begins threads or has handlers for the
 * end can't be unloaded safely. 0; -ENOENT with a sentence when it is not here or lacks one of them (dlopen(3), dlsym(3)). */
int library_load(const char *soname, const char *const *names, void *ret_functions, struct err *err);

/* Both of one list, so that they can't differ: LIST(each) is each(function) each(function)… */
#define LIBRARY_POINTER(name) __typeof__(&name) name;
#define LIBRARY_NAME(name) #name,

#endif
