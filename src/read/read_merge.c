#include "read/read_merge.h"
#include "base/lang.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out/note.h"
#include "out/status.h"
#include "read/merge.h"

/* Files hold what was captured, cut to microseconds or nanoseconds: two readings are off by one of these each. */
static int64_t slack_ns(const struct merge *merge)
{
    int64_t slack = 0;
    for (int i = 0; i < MATCH_CAPTURES; i++) slack += merge->capture[i].micros ? 1000 : 1;
    return slack;
}

static int nothing_common(const struct merge *merge, struct err *err)
{
    const struct merge_capture *a = &merge->capture[MATCH_A], *b = &merge->capture[MATCH_B];
    for (int i = 0; i < MATCH_CAPTURES; i++)
        if (!merge->capture[i].count)
            return err_set(err, CLI_FAILED, "there is no TCP segment in %s%s: nothing to merge", merge->capture[i].name,
                           merge->options->filter ? tr(" that passes the filter") : "");
    return err_set(
        err, CLI_FAILED,
        "no segment is in both captures (%zu in %s, %zu in %s). Were they taken at the same time, of the same connections? "
        "`tcpwhy read` of each shows which addresses it has: where they differ, something between the two rewrites them (NAT), "
        "which can be followed only with the SYN of the connection in both; a proxy's two connections have nothing in common",
        a->count, a->name, b->count, b->name);
}

static struct story_clock clock_of(const struct merge *merge, size_t at)
{
    const struct clocks_piece *piece = &merge->match.clocks.piece[at];
    struct story_clock clock = {.vantage = merge->capture[MATCH_B].name,
                                .against = merge->capture[MATCH_A].name,
                                .at_ns = clocks_to_a(&merge->match.clocks, piece->from_order, piece->b_ns),
                                .offset_ns = -piece->offset_ns,
                                .uncertainty_ns = piece->uncertainty_ns,
                                .most_ns = piece->most_ns,
                                .drift_ppb = (int64_t)(-piece->slope * 1e9),
                                .drift_within_ppb = piece->drift_within_ppb,
                                .span_ns = piece->span_ns,
                                .forth = (uint32_t)piece->forth,
                                .back = (uint32_t)piece->back,
                                .left_out = (uint32_t)piece->left_out,
                                .stepped = at > 0,
                                .guessed = merge->match.guessed};
    if (at > 0) clock.from_ns = clocks_to_a(&merge->match.clocks, piece->from_order, piece->first_ns);
    return clock;
}

/* Where b's addresses were rewritten, a's are told. */
static int translate(struct merge *merge)
{
    struct match_translation found;
    const struct merge_capture *a = &merge->capture[MATCH_A];
    struct merge_capture *b = &merge->capture[MATCH_B];
    int code = match_translate(&merge->match, &found);
    if (code || !found.connections) return code;
    for (size_t i = 0; i < b->count; i++) {
        const struct event_packet_header *header = &b->match[i].header;
        struct ledger_segment *segment = &b->packet[i].segment;
        b->packet[i].packet.header.src = header->src;
        b->packet[i].packet.header.dst = header->dst;
        memcpy(segment->src, header->src.ip, sizeof(segment->src));
        memcpy(segment->dst, header->dst.ip, sizeof(segment->dst));
        segment->src_port = header->src.port;
        segment->dst_port = header->dst.port;
        segment->version = header->src.version;
    }
    char texts[4][ADDRESS_TEXT_BYTES], more[48] = "";
    if (found.connections > 1) snprintf(more, sizeof(more), tr(" (and %zu more connections)"), found.connections - 1);
    note_say(merge->options->output.quiet,
             "%s to %s in %s is %s to %s in %s%s: something between the two rewrites addresses (NAT); told with those of %s",
             address_format(&found.src[MATCH_A], texts[0]), address_format(&found.dst[MATCH_A], texts[1]), a->name,
             address_format(&found.src[MATCH_B], texts[2]), address_format(&found.dst[MATCH_B], texts[3]), b->name, more, a->name);
    return 0;
}

static int compare(struct merge *merge, struct err *err)
{
    struct match *match = &merge->match;
    for (int i = 0; i < MATCH_CAPTURES; i++) {
        const struct merge_capture *capture = &merge->capture[i];
        match->packet[i] = capture->match;
        match->count[i] = capture->count;
        match->first_ns[i] = capture->first_ns;
        match->last_ns[i] = capture->last_ns;
    }
    int code = translate(merge);
    if (!code) code = match_run(match, slack_ns(merge));
    if (code == -ENODATA) return nothing_common(merge, err);
    if (code == -ERANGE)
        return err_set(err, CLI_FAILED,
                       "the times of %s and %s contradict each other in more than %d places: segments seem to arrive before they "
                       "were sent, whatever the clocks. Were both taken at the same time, by clocks that nobody kept setting?",
                       merge->capture[MATCH_A].name, merge->capture[MATCH_B].name, CLOCKS_PIECES_MAX);
    if (code) return err_set_errno(err, code, "can't compare the captures");
    for (size_t i = 0; i < match->clocks.count; i++) merge->clock[i] = clock_of(merge, i);
    return 0;
}

static void note_rest(const struct merge *merge)
{
    for (int i = 0; i < MATCH_CAPTURES; i++) {
        const struct merge_capture *capture = &merge->capture[i];
        if (merge->left_out[i])
            note_say(merge->options->output.quiet, "%zu connection%s of %s %s not in %s, and left out", merge->left_out[i],
                     merge->left_out[i] == 1 ? "" : "s", capture->name, merge->left_out[i] == 1 ? "is" : "are",
                     merge->capture[!i].name);
        if (merge->match.clamped[i])
            note_say(
                merge->options->output.quiet,
                "%zu segment%s of %s %s captured before 1970 or after 2115, if the file is right: told with the nearest time that "
                "can be compared",
                merge->match.clamped[i], merge->match.clamped[i] == 1 ? "" : "s", capture->name,
                merge->match.clamped[i] == 1 ? "was" : "were");
        if (merge->match.short_of[i])
            note_say(
                merge->options->output.quiet,
                "%s lacks segments that must have passed there: that capture dropped packets, and they are not counted as lost",
                capture->name);
    }
}

static void release(struct merge *merge)
{
    for (int i = 0; i < MATCH_CAPTURES; i++) {
        free(merge->capture[i].packet);
        free(merge->capture[i].match);
        free(merge->capture[i].icmp);
    }
    match_free(&merge->match);
    free(merge->item);
    free(merge->path);
    free(merge);
}

int read_merge(const struct read_source *source, const struct read_options *options, struct err *err)
{
    struct merge *merge = calloc(1, sizeof(*merge));
    if (!merge) return err_set_errno(err, -ENOMEM, "can't merge");
    merge->options = options;
    int code = merge_load(merge, source, err);
    if (!code) code = compare(merge, err);
    if (!code && (code = merge_lay(merge))) err_set_errno(err, code, "can't merge");
    if (!code) {
        note_rest(merge);
        code = merge_tell(merge, options->tables, err);
    }
    for (int i = 0; i < MATCH_CAPTURES && !code; i++)
        if (merge->capture[i].seen.damages) {
            *err = merge->capture[i].damage;
            code = CLI_FAILED;
        }
    release(merge);
    return code;
}
