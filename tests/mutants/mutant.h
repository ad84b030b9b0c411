/* Which mutant a woven program (weave.py) is: the one that TCPWHY_MUTANT in its environment names by number, none without. Asking
 * for a number is noted in the file that TCPWHY_MUTANTS_REACHED names, a byte each, if there is one: of processes it begins, too.
 * With MUTANT_FIXED the compiler knows it. */
#ifndef TCPWHY_TESTS_MUTANT_H
#define TCPWHY_TESTS_MUTANT_H

#include <stdbool.h>

#ifdef MUTANT_FIXED
#define mutant_is_(number) ((number) == MUTANT_FIXED)
#else
enum { MUTANTS_MOST = 65536 };

/* No header of the system's: what is woven defines its own feature macros behind this. */
extern char *getenv(const char *);
extern int atoi(const char *);
extern int open(const char *, int, ...);
extern int close(int);
extern void *mmap(void *, unsigned long, int, int, int, long);

__attribute__((weak)) int mutant_now_ = -1;
__attribute__((weak)) unsigned char mutant_unasked_[MUTANTS_MOST];
__attribute__((weak)) unsigned char *mutant_reached_ = mutant_unasked_;

__attribute__((weak, constructor(101))) void mutant_begin_(void)
{
    if (mutant_now_ >= 0) return;
    const char *number = getenv("TCPWHY_MUTANT"), *path = getenv("TCPWHY_MUTANTS_REACHED");
    mutant_now_ = number ? atoi(number) : 0;
    int fd = path ? open(path, 2 /* O_RDWR */) : -1;
    void *shared = fd >= 0 ? mmap((void *)0, MUTANTS_MOST, 3 /* PROT_READ | PROT_WRITE */, 1 /* MAP_SHARED */, fd, 0) : (void *)-1;
    if (fd >= 0) close(fd); /* tests count on the numbers of what they open */
    if (shared != (void *)-1) mutant_reached_ = shared;
}

static inline bool mutant_is_(int number)
{
    mutant_reached_[number] = 1;
    return mutant_now_ == number;
}
#endif

#endif
