/* What /proc says of another process or thread. Everything in it can change or end at any moment: absence is a normal answer. */
#ifndef TCPWHY_CAPTURE_PROCINFO_H
#define TCPWHY_CAPTURE_PROCINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "event/event.h"

/* The thread's name (raw bytes); leaves `comm` as it is where there is no such thread. */
void procinfo_comm(pid_t tid, char comm[EVENT_COMM_BYTES]);
/* A number from /proc/TID/status: "Tgid", "PPid", "Seccomp"; -1 where it can't be had. */
int procinfo_status(pid_t tid, const char *field);
/* Whether it executes a 32-bit program (the ELF class of /proc/PID/exe). */
bool procinfo_is_32_bit(pid_t pid);
/* Whether the program that it executes is set-user-ID or set-group-ID to somebody else, and it runs without that
 * (PR_SET_NO_NEW_PRIVS). */
bool procinfo_is_unraised(pid_t pid);
/* Whether it sleeps, interruptibly (state S of /proc/PID/stat); false where there is no such process. */
bool procinfo_sleeps(pid_t pid);
/* When it began, in nanoseconds of CLOCK_BOOTTIME and exact to one tick of the kernel's (10 ms); -1 where it can't be had. */
int64_t procinfo_began_ns(pid_t pid);
/* Whether it began at this time of CLOCK_MONOTONIC, which does not count sleep of the machine, as exactly as /proc can tell. */
bool procinfo_began_at(pid_t pid, int64_t steady_ns);
/* The inode of the thread's network namespace, 0: of this process's; 0 where that can't be had. */
uint64_t procinfo_netns(pid_t tid);
/* The first line of a small file as a number (a sysctl); `otherwise` where there is none. */
int procinfo_number(const char *path, int otherwise);

#endif
