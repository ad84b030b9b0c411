/* draw_pictures FOLDER: every story of support/stories.h as pictures, whole and brief, one file each; for who looks at them in a
 * browser. Exit status 1 where a file can't be written. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "story/tell/teller.h"
#include "support/stories.h"
#include "viz/view.h"

static int into_file(void *data, const char *bytes, size_t length)
{
    return fwrite(bytes, 1, length, data) == length ? 0 : -EIO;
}

static const char *const vantages[] = {"a.pcap", "b.pcap"};

static int draw(const struct view *view, const struct story_fixture *fixture, const struct view_options *options, const char *path)
{
    FILE *file = fopen(path, "we");
    if (!file) return 1;
    struct sink sink = {into_file, file};
    struct story_trace trace = {.recorder = "bpf", .vantages = vantages, .vantage_count = fixture->vantages};
    struct err err = {""};
    void *state;
    struct story *story = fixture->make();
    int code = view->begin(&state, &sink, options, &err);
    if (!code) code = view->story(state, &sink, options, story, &err);
    int end = view->end(state, &sink, options, code ? NULL : &trace, &err);
    story_free(story);
    if (code || end) fprintf(stderr, "%s: %s\n", path, err.text);
    return fclose(file) || code || end;
}

int main(int argc, char **argv)
{
    static const char *const views[] = {"svg", "tsg", "html"};
    size_t count;
    const struct story_fixture *fixtures = story_fixtures(&count);
    char path[512];
    int failed = argc != 2;
    for (size_t v = 0; !failed && v < sizeof(views) / sizeof(views[0]); v++)
        for (size_t i = 0; i < 2 * count && !failed; i++) {
            const struct view *view = view_by_name(views[v]);
            struct view_options options = {.brief = i >= count};
            if (options.brief && !view->ladder) continue;
            snprintf(path, sizeof(path), "%s/%s%s%s", argv[1], fixtures[i % count].name, options.brief ? "-brief" : "",
                     view->suffix);
            failed = draw(view, &fixtures[i % count], &options, path);
        }
    return failed ? 1 : 0;
}
