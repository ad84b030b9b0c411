/* Kernel addresses → function names, from /proc/kallsyms.
 *
 * Owns its table. A kernel may hide its addresses (kernel.kptr_restrict, no CAP_SYSLOG): then loading fails and says so, and
 * whoever wanted names goes on without. Addresses stay inside this module's callers; only names go further. */
#ifndef TCPWHY_CAPTURE_BPF_KERNEL_SYMBOLS_H
#define TCPWHY_CAPTURE_BPF_KERNEL_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct kernel_symbols;

/* Reads /proc/kallsyms (some 50 ms). 0; -EACCES where the addresses are hidden; -errno where it can't be read. What is listed last,
 * the BPF programs, is read when kernel_symbols_name() can't do without: to the next one the kernel comes through all before it,
 * and among a few recorders (a hundred functions each, and more) that takes longer than all the rest. */
int kernel_symbols_load(struct kernel_symbols **ret_symbols, struct err *err);
/* The same of an open file in its format; the descriptor is the symbols' then, or closed. */
int kernel_symbols_take(struct kernel_symbols **ret_symbols, int fd, struct err *err);
/* The same from a text in its format ("ffffffff81000000 T name[\t[module]]" lines), which is copied. Lines that are not so are
 * skipped. -EACCES when no line has an address other than 0; -EINVAL when there is no line at all. */
int kernel_symbols_parse(struct kernel_symbols **ret_symbols, const char *text, size_t length, struct err *err);
/* NULL is fine. */
void kernel_symbols_free(struct kernel_symbols *symbols);

/* How many functions are known, BPF programs that were listed behind the rest not among them. */
size_t kernel_symbols_count(const struct kernel_symbols *symbols);
/* The function that contains this address, without the compiler's endings (.isra.0, .constprop.0, .part.0, .cold); NULL below the
 * first one and far behind the last. Valid until kernel_symbols_free. For a return address ask for the address before it. */
const char *kernel_symbols_name(const struct kernel_symbols *symbols, uint64_t address);

/* The same where it is a function of the kernel itself, and no module's or BPF program's: NULL then. Reads nothing. */
const char *kernel_symbols_own_name(const struct kernel_symbols *symbols, uint64_t address);

/* Where the function of this name begins; 0: there is none, or several (BPF programs apart). One that bears the bare name goes
 * before those with a compiler's ending. */
uint64_t kernel_symbols_address(const struct kernel_symbols *symbols, const char *name);

#endif
