/* Stories to ask about: a scenario's, played now, or what a file holds. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/quiz_own.h"
#include "lab/scenario/catalogue.h"
#include "out/keeper.h"
#include "play/catalogue/scene.h"
#include "play/stage/play.h"
#include "read/read_events.h"
#include "rights/rights.h"
#include "story/story_list.h"

enum { HEAD_BYTES = READ_EVENTS_HEAD_BYTES, FIRST_BYTES = 16 };

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && !strcmp(text + length - tail, end);
}

bool quiz_is_stored(const char *operand)
{
    if (!strcmp(operand, "-")) return true;
    if (!strchr(operand, '/') && catalogue_find(operand)) return false; /* as demo has it: ./NAME is the file */
    return !ends_with(operand, ".scn") && (strchr(operand, '/') || access(operand, F_OK) == 0);
}

static int take(void *data, struct story *story)
{
    struct quiz_stories *stories = data;
    return story_list_add(&stories->list, &stories->count, story);
}

static int read_head(struct keeper *keeper, const char *path, char head[HEAD_BYTES], size_t *ret_length, struct err *err)
{
    int code = 0, fd = !strcmp(path, "-") ? STDIN_FILENO : keeper_open(keeper, path);
    if (fd < 0) {
        code = -errno;
        return err_set_errno(err, code, "can't open %s", path);
    }
    ssize_t more = 1;
    size_t wanted = FIRST_BYTES;
    *ret_length = 0;
    while (*ret_length < wanted && more > 0) {
        more = read(fd, head + *ret_length, wanted - *ret_length);
        if (more > 0) *ret_length += (size_t)more;
        if (*ret_length == FIRST_BYTES) wanted = read_events_needs(head, *ret_length);
    }
    if (more < 0) {
        code = -errno;
        err_set_errno(err, code, "can't read %s", path);
    }
    if (fd != STDIN_FILENO) close(fd);
    return code;
}

static int read_stored(struct quiz_stories *stories, const char *path, struct err *err)
{
    char head[HEAD_BYTES];
    size_t length = 0;
    struct output_options *output = &stories->read.output;
    bool is_stdin = !strcmp(path, "-");
    int code = rights_drop(RIGHTS_NONE, err);
    if (!code) code = rights_confine(false, err);
    if (!code) code = read_head(output->keeper, path, head, &length, err);
    if (code) return code;
    if (read_is_events(head, length)) return read_events(path, head, is_stdin ? length : 0, &stories->read, err);
    const struct read_source source = {&path, 1, head, is_stdin ? length : 0};
    code = read_capture(&source, &stories->read, err);
    return code > 0 ? -EIO : code; /* a damaged file, or a signal: `err` says which */
}

static int play(struct quiz_stories *stories, const char *operand, struct err *err)
{
    struct output_options *options = &stories->read.output;
    struct play_options play_options = {.recorder = stories->recorder, .quiet = options->quiet};
    struct scenario *scenario = NULL;
    struct output *output = NULL;
    struct play *play = NULL;
    int code = scene_load(operand, &scenario, err);
    if (code) return code == -ENOENT ? -EINVAL : code;
    code = output_open(&output, options, err);
    if (!code) code = play_run(scenario, &play_options, &play, err);
    if (play) stories->signal = play_signal(play);
    struct err told = {""};
    if (play && !code) code = rights_drop(RIGHTS_NONE, err);
    if (play && !code) code = rights_confine(false, err);
    if (play && !code && (code = output_tell(output, play_log(play), &told))) *err = told;
    output_close(output);
    play_close(play);
    scenario_free(scenario);
    return code;
}

int quiz_stories_get(struct quiz_stories *stories, const char *operand, struct err *err)
{
    stories->read.output.take = take;
    stories->read.output.take_data = stories;
    int code = quiz_is_stored(operand) ? read_stored(stories, operand, err) : play(stories, operand, err);
    story_list_sort(stories->list, stories->count);
    return code;
}

void quiz_stories_free(struct quiz_stories *stories)
{
    story_list_free(stories->list, stories->count);
}
