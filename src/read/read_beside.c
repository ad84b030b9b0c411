#include "read/read_beside.h"
#include "base/lang.h"

#include <inttypes.h>

#include "base/buf.h"
#include "out/note.h"
#include "viz/pen/escape.h"

enum { COMMENT_BYTES_MAX = 1 << 16 };

void read_beside(struct savefile *file, const struct output_options *output, struct rows_source *seen)
{
    const struct savefile_beside *beside = savefile_beside(file);
    seen->journal = beside->journal;
    seen->names = beside->names;
    seen->secrets = beside->secrets;
    seen->custom = beside->custom;
    seen->unknown_blocks = beside->unknown;
    seen->comments = beside->comments;
    seen->comment_count = beside->comment_count;
    const struct {
        uint64_t count;
        const char *what;
    } rows[] = {{beside->journal, tr("systemd journal entries")},      {beside->names, tr("name resolution blocks")},
                {beside->secrets, tr("blocks of decryption secrets")}, {beside->custom, tr("custom blocks")},
                {beside->unknown, tr("blocks of unknown types")},      {beside->comments_left_out, tr("more comments")}};
    seen->dropped = beside->dropped;
    bool quiet = output->quiet || !output->verbose;
    if (beside->dropped)
        note_say(output->quiet, "the capture says that it dropped %llu packets: what is missing may have been there",
                 (unsigned long long)beside->dropped);
    for (size_t i = 0; i < beside->comment_count && !quiet; i++) {
        struct buf text = buf_new(COMMENT_BYTES_MAX);
        escape_text(&text, beside->comments[i], output_ascii(output));
        note_say(quiet, "comment of %s", text.failed ? "?" : buf_string(&text));
        buf_free(&text);
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].count) note_say(quiet, "passed over: %llu %s", (unsigned long long)rows[i].count, rows[i].what);
}

void read_beside_sights(const struct places *places, uint64_t sights, uint64_t elsewhere, bool quiet)
{
    if (!sights) return;
    const char *more =
        elsewhere ? tr("; the hop limits say that two places are in this file: try --merge with the two captures apart") : "";
    if (places->count < 2)
        note_say(quiet, "%" PRIu64 " packets were captured more than once: each counts as one%s", sights, more);
    else
        note_say(quiet, "%" PRIu64 " packets were captured more than once, at several places (%s, %s%s): each counts as one%s",
                 sights, places->keys[0].name, places->keys[1].name, places->count > 2 ? ", ..." : "", more);
}

void read_beside_repeats(uint64_t left_out, bool quiet)
{
    if (left_out)
        note_say(quiet,
                 "%" PRIu64
                 " packets are there a second time, each at the time that it had: the same capture twice; each counts as one",
                 left_out);
}

void read_beside_late(uint64_t late, bool quiet)
{
    if (late) note_say(quiet, "%" PRIu64 " segments came when their connections' rows had been shown: they are in none", late);
}
