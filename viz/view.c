#include "viz/view.h"

#include <string.h>

/* To add a view: its file, its line here (docs/ADDING-A-VIEW.md). */
static const struct view *const views[] = {&view_text,    &view_list,     &view_jsonl, &view_svg, &view_tsg, &view_page,
                                           &view_mermaid, &view_perfetto, &view_otlp,  &view_csv, &view_lab};

enum { VIEW_COUNT = sizeof(views) / sizeof(views[0]) };

const struct view *const *view_all(size_t *ret_count)
{
    *ret_count = VIEW_COUNT;
    return views;
}

const struct view *view_by_name(const char *name)
{
    for (size_t i = 0; i < VIEW_COUNT; i++)
        if (strcmp(views[i]->name, name) == 0) return views[i];
    return NULL;
}

const struct view *view_by_path(const char *path)
{
    /* The longest suffix wins, so that x.perfetto.json is not taken for x.json. */
    const struct view *found = NULL;
    size_t length = strlen(path), found_length = 0;
    for (size_t i = 0; i < VIEW_COUNT; i++) {
        size_t suffix = strlen(views[i]->suffix);
        if (suffix > found_length && suffix < length && strcmp(path + length - suffix, views[i]->suffix) == 0) {
            found = views[i];
            found_length = suffix;
        }
    }
    return found;
}

unsigned view_blank_fields(const struct view_options *options, uint32_t step, unsigned fields)
{
    unsigned found = 0;
    for (size_t i = 0; i < options->blank_count; i++)
        if (options->blanks[i].step == step) found |= options->blanks[i].fields & fields;
    return found;
}

int view_write(const struct sink *sink, const char *bytes, size_t length, struct err *err)
{
    if (length == 0) return 0;
    int code = sink->write(sink->data, bytes, length);
    return code ? err_set_errno(err, code, "writing the output failed") : 0;
}
