#include "out/progress.h"
#include "base/lang.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

enum { QUIET_MS = 1000, EVERY_MS = 200, BAR = 24 };

struct progress progress_new(bool wanted)
{
    struct progress progress = {.wanted = wanted && isatty(STDERR_FILENO)};
    progress.begun_ms = progress.last_ms = clock_ms();
    return progress;
}

void progress_tell(struct progress *progress, uint64_t packets, uint64_t done_bytes, uint64_t total_bytes)
{
    if (!progress->wanted) return;
    int64_t now_ms = clock_ms(), took_ms = now_ms - progress->begun_ms;
    if (took_ms < QUIET_MS || now_ms - progress->last_ms < EVERY_MS) return;
    progress->last_ms = now_ms;
    progress->shown = true;
    double rate = (double)packets * 1000 / (double)took_ms, share = 0;
    char bar[BAR + 1] = "", left[48] = "";
    if (total_bytes) {
        share = (double)done_bytes / (double)total_bytes;
        if (share > 1) share = 1;
        for (int i = 0; i < BAR; i++) bar[i] = i < (int)(share * BAR) ? '#' : '.';
        bar[BAR] = '\0';
        if (share > 0) snprintf(left, sizeof(left), tr(", %.0f s left"), (double)took_ms / 1000 * (1 - share) / share);
        fprintf(stderr, "\r\033[K[%s] %3.0f%%  %.1f M packets, %.2f M/s%s", bar, share * 100, (double)packets / 1e6, rate / 1e6,
                left);
    } else {
        fprintf(stderr, "\r\033[K%.1f M packets, %.2f M/s", (double)packets / 1e6, rate / 1e6);
    }
    fflush(stderr);
}

void progress_end(struct progress *progress)
{
    if (progress->shown) fprintf(stderr, "\r\033[K");
    progress->shown = false;
}
