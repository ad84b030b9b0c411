/* What went wrong, as one sentence for a person.
 *
 * A function that can fail because the system failed takes `struct err *` as its last parameter, returns 0 or a
 * negative errno and leaves a sentence here that says what was tried, why it failed and what to do. Only main prints it.
 * Formats are sentences of base/lang.h, and are translated here. Owns nothing; lives on the caller's stack. Bad input bytes are not
 * errors of this kind (see docs/ARCHITECTURE.md). */
#ifndef TCPWHY_BASE_ERR_H
#define TCPWHY_BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

enum { ERR_TEXT_BYTES = 1024 };

struct err {
    char text[ERR_TEXT_BYTES]; /* NUL-terminated; no newline at its end; printable UTF-8 (control characters escaped).
                                * Behind it, with a NUL of its own, the long story (err_more). */
};

/* Replaces the sentence. `code` is a negative errno (or 0) and is returned, so that `return err_set(err, -EINVAL, …)`
 * works. `err` may be NULL. Too long a sentence is cut. */
int err_set(struct err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As err_set, with ": " and the text of errno number -code behind the sentence. */
int err_set_errno(struct err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts the long story beside the sentence that is already there; a new sentence takes it away. */
void err_more(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* That story; "" where there is none. */
const char *err_long_story(const struct err *err);

/* Puts "what: " before the sentence that is already there. */
void err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What strerror(3) says of a positive number, in the language of now. Static storage, or strerror's where that has no such number.
 */
const char *err_errno_text(int number);
/* The errno's symbolic name ("ECONNREFUSED") for a positive number, or NULL where it has none. Static storage. */
const char *err_errno_name(int number);

/* Whether a system call's result is the kernel's note to itself that a signal interrupted the call: its program never sees it, for
 * the kernel begins the call again, or returns EINTR, or the program ends (ERESTART* in the kernel's include/linux/errno.h). */
bool err_is_restart(int64_t result);

#endif
