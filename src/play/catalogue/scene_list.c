/* `tcpwhy demo --list`: the catalogue, by what its lessons are about. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/lang.h"
#include "lab/scenario/catalogue.h"
#include "out/place.h"
#include "out/status.h"
#include "play/catalogue/scene.h"
#include "viz/text/text_pen.h"

enum { LIST_BYTES = 1 << 20, PIPE_COLUMNS = 250, NAME_COLUMNS = 29 };

/* What stands above each group. */
static const char *headline(enum scenario_group group)
{
    static const char *const headlines[SCENARIO_GROUPS + 1] = {
        [SCENARIO_GROUP_HANDSHAKE] = TR("handshake: how a connection begins, or does not"),
        [SCENARIO_GROUP_GOODBYE] = TR("goodbye: FINs, half-close, TIME_WAIT, CLOSE_WAIT"),
        [SCENARIO_GROUP_RESETS] = TR("resets: who sends a RST, and why"),
        [SCENARIO_GROUP_LOSS] = TR("loss: retransmission, silence, keepalive"),
        [SCENARIO_GROUP_QUEUES] = TR("queues: backlog, buffers, windows"),
        [SCENARIO_GROUP_OPTIONS] = TR("options: what setsockopt() changes"),
        [SCENARIO_GROUP_CALLS] = TR("calls: what a socket call does, and what it waits for"),
        [SCENARIO_GROUP_UDP] = TR("UDP: datagrams, and nobody who cares for them"),
        [SCENARIO_GROUP_PATH] = TR("path: routers, firewalls, NAT, MTU"),
        [SCENARIO_GROUPS] = TR("others"),
    };
    return tr(headlines[group]);
}

/* Each word stands in the name, the title or the group. */
static bool is_wanted(const struct scene_options *options, const char *name, const struct scenario *scenario)
{
    const char *group = scenario_group_name(scenario->group);
    for (size_t i = 0; i < options->operand_count; i++) {
        const char *word = options->operands[i];
        if (!strcasestr(name, word) && !strcasestr(scenario->title, word) && !strcasestr(tr(scenario->title), word) &&
            !(group && strcasestr(group, word)))
            return false;
    }
    return true;
}

static size_t add_group(const struct scene_options *options, enum scenario_group group, struct scenario *const *scenarios,
                        struct pen *pen)
{
    size_t count, listed = 0;
    const struct catalogue_entry *entries = catalogue(&count);
    for (size_t i = 0; i < count; i++) {
        if (!scenarios[i] || scenarios[i]->group != group || !is_wanted(options, entries[i].name, scenarios[i])) continue;
        if (!listed++) {
            if (pen->out->length) pen_blank_line(pen);
            layout_add(&pen->text, STYLE_BOLD, headline(group));
            pen_flush(pen, 0, STYLE_PLAIN, "");
        }
        char key[64];
        int indent = snprintf(key, sizeof(key), "  %-*.50s ", NAME_COLUMNS - 1, entries[i].name);
        layout_add(&pen->text, STYLE_PLAIN, tr(scenarios[i]->title));
        pen_flush(pen, indent, STYLE_CLIENT, key);
    }
    return listed;
}

static int write_list(struct buf *out, struct err *err)
{
    struct place place;
    int code = place_open(&place, NULL, NULL, err);
    if (!code) {
        place_write(&place, out->data, out->length);
        code = place_finish(&place);
        if (code) *err = place.err;
    }
    place_close(&place);
    return code == -EPIPE ? code : code ? CLI_FAILED : CLI_DONE;
}

int scene_list(const struct scene_options *options, struct err *err)
{
    size_t count, listed = 0;
    const struct catalogue_entry *entries = catalogue(&count);
    struct scenario **scenarios = calloc(count + 1, sizeof(*scenarios));
    struct view_options look = output_view_options(&options->output, STDOUT_FILENO);
    struct buf out = buf_new(LIST_BYTES);
    struct pen pen = pen_new(&look, output_screen_width(STDOUT_FILENO) ? look.width : PIPE_COLUMNS, &out);
    int code = scenarios ? 0 : -ENOMEM;
    if (code) err_set_errno(err, code, "can't list the scenarios");
    for (size_t i = 0; i < count && !code; i++) code = scene_load(entries[i].name, &scenarios[i], err);
    for (int group = 0; group <= SCENARIO_GROUPS && !code; group++)
        listed += add_group(options, (enum scenario_group)group, scenarios, &pen);
    int status = pen_end(&pen) || code ? CLI_FAILED : CLI_DONE;
    if (status == CLI_DONE && !listed)
        status = err_set(err, CLI_FAILED, "no scenario has '%s' in its name, title or group: see tcpwhy demo --list",
                         options->operands[0]);
    else if (status == CLI_DONE)
        status = write_list(&out, err);
    for (size_t i = 0; i < count && scenarios; i++) scenario_free(scenarios[i]);
    free(scenarios);
    buf_free(&out);
    return status;
}
