/* `s`: the connection that is seen, into a file beside the others of this folder. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/lang.h"
#include "viz/view.h"
#include "watch/packets.h"
#include "watch/tui/own.h"

static int write_all(void *data, const char *bytes, size_t length)
{
    int fd = *(const int *)data;
    for (size_t at = 0; at < length;) {
        ssize_t wrote = write(fd, bytes + at, length - at);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return -errno;
        at += (size_t)wrote;
    }
    return 0;
}

static int draw_to(int fd, const struct view *view, const struct tui *tui, const struct story *story)
{
    const struct sink sink = {write_all, &fd};
    const struct view_run run = {.recorder = "bpf", .started_ns = story->start_ns};
    const struct story_trace trace = {.recorder = "bpf", .started_ns = story->start_ns};
    const struct view_options options = {.width = 100, .ascii = tui->options.ascii, .run = &run};
    struct err err;
    void *state = NULL;
    int code = view->begin(&state, &sink, &options, &err);
    if (!code) code = view->story(state, &sink, &options, story, &err);
    int ended = view->end(state, &sink, &options, code ? NULL : &trace, &err);
    return code ? code : ended;
}

static const struct view *view_of(int letter)
{
    switch (letter) {
    case 't':
        return &view_text;
    case 'v':
        return &view_svg;
    case 'h':
        return view_by_name("html");
    case 'j':
        return &view_jsonl;
    default:
        return NULL;
    }
}

static int write_to(int fd, const struct view *view, const struct tui *tui, const struct story *story)
{
    const struct sink sink = {write_all, &fd};
    return view ? draw_to(fd, view, tui, story) : packets_save(story, &sink);
}

void save_as(struct tui *tui, int letter)
{
    bool owned = false;
    uint32_t number = tui->panel == &panel_ladder ? tui->ladder_number : tui->selected;
    const struct view *view = view_of(letter); /* NULL: a capture, which is no view */
    bool chosen = view || letter == 'p';
    struct story *story = chosen && number ? rows_story(tui, number, &owned) : NULL;
    char name[DRAWER_NAME_BYTES], clock[32] = "";
    time_t now = time(NULL);
    struct tm parts;
    uint64_t removed;
    if (!story || !tui->drawer) {
        snprintf(tui->note, sizeof(tui->note), "%s", !chosen ? tr("not saved") : tr("not saved: that connection is gone"));
        return;
    }
    if (localtime_r(&now, &parts)) strftime(clock, sizeof(clock), "%Y%m%d-%H%M%S", &parts);
    snprintf(name, sizeof(name), "tcpwhy-%s-%u%.16s", clock, number, view ? view->suffix : ".pcapng");
    int fd = drawer_begin(tui->drawer, name), code = fd < 0 ? fd : write_to(fd, view, tui, story);
    if (fd >= 0) close(fd);
    if (fd >= 0 && code) drawer_drop(tui->drawer);
    if (!code) code = drawer_end(tui->drawer, &removed);
    if (owned) story_free(story);
    if (code)
        snprintf(tui->note, sizeof(tui->note), tr("not saved: %.100s"), err_errno_text(-code));
    else
        snprintf(tui->note, sizeof(tui->note), tr("saved %.100s"), name);
}
