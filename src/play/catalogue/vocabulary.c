#include "play/catalogue/vocabulary.h"

#include "capture/syscalls.h"
#include "story/story.h"

/* io_uring's requests are told under its name: no system call stands behind them. */
static const char *const uring_calls[] = {"io_uring accept", "io_uring connect", "io_uring send",
                                          "io_uring recv",   "io_uring close",   "io_uring shutdown"};
enum { URING_CALLS = sizeof(uring_calls) / sizeof(uring_calls[0]), CALLS_MAX = 128 };

const struct scenario_vocabulary *play_vocabulary(void)
{
    static const char *calls[CALLS_MAX];
    static struct scenario_vocabulary vocabulary;
    if (vocabulary.findings) return &vocabulary;
    size_t rows, count = 0;
    const struct syscall_row *row = syscall_rows(&rows);
    for (size_t i = 0; i < URING_CALLS; i++) calls[count++] = uring_calls[i];
    for (size_t i = 0; i < rows && count < CALLS_MAX; i++) calls[count++] = row[i].name;
    vocabulary.calls = calls;
    vocabulary.call_count = count;
    vocabulary.findings = story_finding_ids(&vocabulary.finding_count);
    return &vocabulary;
}
