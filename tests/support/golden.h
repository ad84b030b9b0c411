/* Output compared byte for byte with a stored file.
 *
 * With TCPWHY_REGENERATE=1 in the environment the files are written instead: look at the difference before it is committed. */
#ifndef TCPWHY_TESTS_GOLDEN_H
#define TCPWHY_TESTS_GOLDEN_H

#include <stddef.h>

/* Fails the cmocka test unless `path` holds exactly these bytes; says which line differs. */
void golden_check(const char *path, const char *bytes, size_t length);

#endif
