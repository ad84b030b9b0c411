#include "play/catalogue/claims.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "out/note.h"
#include "out/place.h"
#include "out/status.h"
#include "play/catalogue/claim_screen.h"
#include "play/catalogue/claims_table.h"
#include "play/catalogue/scene.h"
#include "rights/rights.h"

enum { SCREEN_BYTES = 1 << 20 };

static bool is_file(const char *operand)
{
    size_t length = strlen(operand);
    return strchr(operand, '/') || (length > 4 && !strcmp(operand + length - 4, ".scn"));
}

static bool is_wanted(const struct claims_options *options, const struct claim_entry *entry)
{
    for (size_t i = 0; i < options->operand_count; i++)
        if (!is_file(options->operands[i]) && !claim_has_word(entry, options->operands[i])) return false;
    return true;
}

static bool is_number(const char *word)
{
    return *word && strspn(word, "0123456789") == strlen(word);
}

static int none_wanted(const struct claims_options *options, const struct claim_book *book, struct err *err)
{
    const char *word = options->operand_count ? options->operands[options->operand_count - 1] : "";
    if (!book->count) return err_set(err, CLI_FAILED, "%s makes no claim: docs/SCENARIOS.md says how one is written", word);
    uint32_t last = 0;
    for (size_t i = 0; i < book->count; i++)
        if (book->list[i].claim->number > last) last = book->list[i].claim->number;
    if (is_number(word)) return err_set(err, CLI_USAGE, "no claim %s: there are 1 to %" PRIu32 " (tcpwhy claims)", word, last);
    return err_set(err, CLI_USAGE, "no claim has '%s' in it: see tcpwhy claims", word);
}

/* ---- one ---- */

/* The claims of one play, a screen each. */
static int show(const struct claims_options *options, const struct claim_entry *list, size_t count,
                const struct play_stories *stories, const struct judgement *judgement, struct err *err)
{
    struct place place;
    struct buf out = buf_new(SCREEN_BYTES);
    size_t missing = 0;
    int code = place_open(&place, NULL, NULL, err);
    struct view_options look = output_view_options(&options->look, STDOUT_FILENO);
    for (size_t i = 0; i < count && !code; i++) {
        if (list[i].scenario != list[0].scenario) continue;
        if (i) buf_char(&out, '\n');
        code = claim_screen(&list[i], stories, judgement, &look, CLAIMS_SCREEN_ROWS, &out, err);
        missing += claim_judge(&list[i], judgement) != CLAIM_SHOWN;
    }
    if (!code) place_write(&place, out.data, out.length);
    if (!code) code = place_finish(&place);
    if (code && place.code) *err = place.err;
    place_close(&place);
    buf_free(&out);
    if (code == -EPIPE) return code;
    if (code) return CLI_FAILED;
    return missing ? err_set(err, CLI_FAILED, "%s: %zu of its claims not shown this time", list[0].name, missing) : CLI_DONE;
}

static int play_one(const struct claims_options *options, const struct claim_entry *list, size_t count, struct err *err)
{
    struct play_options play_options = {.recorder = options->recorder, .quiet = options->look.quiet};
    struct play *play = NULL;
    struct play_stories stories = {0};
    struct judgement judgement = {0};
    int code = play_run(list[0].scenario, &play_options, &play, err), status = CLI_FAILED;
    if (!play) {
        err_prefix(err, "%s", list[0].name);
        return code == -EPERM || code == -EACCES ? CLI_DENIED : CLI_FAILED;
    }
    if (code == -EINTR)
        status = CLI_INTERRUPTED + play_signal(play);
    else if (code)
        err_prefix(err, "%s", list[0].name);
    if (!code) code = rights_drop(RIGHTS_NONE, err);
    if (!code) code = rights_confine(false, err);
    if (!code) code = play_tell(play_log(play), &stories, err);
    if (!code) code = judge(list[0].scenario, play, &stories, &judgement, err);
    if (!code) status = show(options, list, count, &stories, &judgement, err);
    judgement_free(&judgement);
    play_stories_free(&stories);
    play_close(play);
    return status;
}

/* Other claims that the words fit as well, so that nobody takes the first for the only one. */
static void name_others(const struct claims_options *options, const struct claim_entry *list, size_t count)
{
    char others[160] = "";
    size_t used = 0;
    for (size_t i = 1; i < count && used < sizeof(others); i++)
        if (list[i].scenario != list[0].scenario)
            used += (size_t)snprintf(others + used, sizeof(others) - used, "%s%" PRIu32, used ? ", " : "", list[i].claim->number);
    if (used) note_say(options->look.quiet, "about that as well: claims %s", others);
}

/* ---- */

int claims_run(const struct claims_options *options, struct err *err)
{
    struct claim_book book;
    const char **files = calloc(options->operand_count + 1, sizeof(*files));
    if (!files) return err_set_errno(err, -ENOMEM, "can't read the claims"), CLI_FAILED;
    size_t file_count = 0, count = 0;
    for (size_t i = 0; i < options->operand_count; i++)
        if (is_file(options->operands[i])) files[file_count++] = options->operands[i];
    int code = claim_book_open(&book, files, file_count, err), status = code == -EINVAL || code == -ENOENT ? CLI_USAGE : CLI_FAILED;
    struct claim_entry *wanted = calloc(book.count + 1, sizeof(*wanted));
    if (!code && !wanted) err_set_errno(err, code = -ENOMEM, "can't choose among the claims");
    for (size_t i = 0; wanted && i < book.count && !code; i++)
        if (is_wanted(options, &book.list[i])) wanted[count++] = book.list[i];
    if (!code && !count)
        status = none_wanted(options, &book, err);
    else if (!code && options->all)
        status = claims_table_run(options, wanted, count, err);
    else if (!code && !options->operand_count)
        status = claims_table_list(options, wanted, count, err);
    else if (!code) {
        status = play_one(options, wanted, count, err);
        if (status == CLI_DONE) name_others(options, wanted, count);
    }
    free(wanted);
    claim_book_close(&book);
    free(files);
    return status;
}
