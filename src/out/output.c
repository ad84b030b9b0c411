#include "out/output.h"
#include "base/lang.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "out/note.h"
#include "out/output_own.h"
#include "viz/text/overview.h"

static const size_t event_line_limit = (size_t)1 << 24;

static int list_formats(struct err *err, const char *problem, const char *word, bool suffixes)
{
    char list[512] = "";
    size_t count = 0, used = 0;
    const struct view *const *views = view_all(&count);
    for (size_t i = 0; i < count && used < sizeof(list); i++)
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s ", suffixes ? views[i]->suffix : views[i]->name);
    return err_set(err, -EINVAL, "%s '%s': there are %s%s", problem, word, list,
                   suffixes ? OUTPUT_SAVED_SUFFIX " " OUTPUT_EVENTS_SUFFIX : OUTPUT_SAVED_NAME " " OUTPUT_EVENTS_NAME);
}

static int open_target(struct output *output, const char *file, struct err *err)
{
    const struct output_options *options = &output->options;
    struct target *target = &output->targets[output->count++];
    const char *name = file ? NULL : options->format ? options->format : "text";
    target->place.fd = -1;
    target->view = file ? view_by_path(file) : view_by_name(name);
    if (!target->view && !output_is_recorded(name, file))
        return list_formats(err, file ? tr("no format has the ending of") : tr("no format"), file ? file : name, file != NULL);
    if (target->view == &view_text && options->text) target->view = options->text;
    int code = !file && options->stream_fd ? place_open_fd(&target->place, options->stream_fd, err)
                                           : place_open(&target->place, file, options->keeper, err);
    if (!code && !target->view) code = recorded_open(output, target, name, file, err);
    target->options = output_view_options(options, target->place.fd);
    return code == -EINVAL ? -EIO : code; /* -EINVAL is kept for wrong usage */
}

static int open_sender(struct target *target, const struct output_options *options, struct err *err)
{
    target->place.fd = -1;
    target->view = &view_otlp;
    target->options = output_view_options(options, -1);
    int code = otlp_sender_new(&target->sender, options->otlp, false, err);
    if (code) err_prefix(err, "--otlp");
    return code;
}

struct sink output_sink(struct target *target)
{
    return target->sender ? (struct sink){otlp_sender_write, target->sender} : (struct sink){place_write, &target->place};
}

static bool writes_text(const struct output *output)
{
    for (size_t i = 0; i < output->count; i++)
        if (output->targets[i].view &&
            (!strcmp(output->targets[i].view->name, view_text.name) || output->targets[i].view == &view_list))
            return true;
    return false;
}

static bool draws_ladders(const struct output *output)
{
    for (size_t i = 0; i < output->count; i++)
        if (output->targets[i].view && output->targets[i].view->ladder) return true;
    return false;
}

static bool saves(const struct output *output)
{
    for (size_t i = 0; i < output->count; i++)
        if (output->targets[i].saved) return true;
    return false;
}

/* No option is ignored in silence. */
static int check_options(const struct output *output, const struct output_options *options, struct err *err)
{
    if (options->color == OUTPUT_COLOR_ALWAYS && !writes_text(output))
        return err_set(err, -EINVAL, "--color: only text and lists have colours, and nothing is written as such");
    if ((options->brief || options->part != VIEW_WHOLE || options->absolute) && !draws_ladders(output))
        return err_set(err, -EINVAL, "--%s: it is about ladders, and nothing that is written draws one",
                       options->brief                ? "brief"
                       : options->part != VIEW_WHOLE ? "only"
                                                     : "absolute");
    if (options->no_calls && !saves(output))
        return err_set(err, -EINVAL, "--no-calls: it is about saved files (%s), and none is written", OUTPUT_SAVED_SUFFIX);
    return 0;
}

int output_open(struct output **ret_output, const struct output_options *options, struct err *err)
{
    struct output *output = calloc(1, sizeof(*output));
    if (output) output->targets = calloc(OUTPUT_FILES_MAX + 2, sizeof(*output->targets));
    if (output) output->facts = arena_new(), output->line = buf_new(event_line_limit);
    if (!output || !output->targets) {
        free(output);
        return err_set_errno(err, -ENOMEM, "can't open the output");
    }
    int code = 0;
    output->options = *options;
    for (size_t i = 0; i < options->file_count && !code; i++) code = open_target(output, options->files[i], err);
    if (!code && (options->format || !(options->file_count || options->otlp || options->take)))
        code = open_target(output, NULL, err);
    if (!code && options->otlp) code = open_sender(&output->targets[output->count++], options, err);
    if (!code) code = check_options(output, options, err);
    if (code) {
        output_close(output);
        return code;
    }
    *ret_output = output;
    return 0;
}

void output_overview(struct output *output)
{
    const struct output_options *options = &output->options;
    if (options->format || options->brief || options->part != VIEW_WHOLE || options->absolute) return;
    for (size_t i = 0; i < output->count; i++)
        if (output->targets[i].view == &view_text && i >= options->file_count) output->targets[i].view = &view_overview;
}

/* A view's failure is its own place's alone. */
static void note_failure(struct target *target, int code, struct err *err)
{
    if (code && !err->text[0]) err_set_errno(err, code, "can't write %s to %s", target->view->name, target->place.label);
    place_fail(&target->place, code, err);
}

/* What programs read is English. Returns the language that sentences were in. */
static enum lang speak(const struct target *target)
{
    return lang_use(target->view && target->view->machine ? LANG_EN : lang_now());
}

static int take_story(void *data, struct story *story)
{
    struct output *output = data;
    if (output->look) output->look(output->look_data, story);
    if (output->options.take) return output->options.take(output->options.take_data, story);
    output->stories++;
    bool is_wanted = !output->options.conn || output->options.conn == story->number;
    output->written += is_wanted;
    for (size_t i = 0; is_wanted && i < output->count; i++) {
        struct target *target = &output->targets[i];
        struct sink sink = output_sink(target);
        struct err err = {""};
        if (target->begun && !target->place.code) {
            enum lang lang = speak(target);
            const struct story *told = target->view->machine ? story_in_english(story) : story;
            note_failure(target, target->view->story(target->state, &sink, &target->options, told, &err), &err);
            lang_use(lang);
        }
        if (output->live) place_flush(&target->place);
    }
    enum lang lang = lang_use(LANG_EN);
    recorded_story(output, story_in_english(story));
    lang_use(lang);
    story_free(story);
    return 0;
}

static void begin(struct output *output)
{
    for (size_t i = 0; i < output->count; i++) {
        struct target *target = &output->targets[i];
        struct sink sink = output_sink(target);
        struct err err = {""};
        if (!target->view) continue;
        target->options.run = &output->run;
        target->begun = true; /* a view's end is called after a failure of its begin too */
        enum lang lang = speak(target);
        note_failure(target, target->view->begin(&target->state, &sink, &target->options, &err), &err);
        lang_use(lang);
    }
}

static void end(struct output *output, const struct story_trace *trace)
{
    for (size_t i = 0; i < output->count; i++) {
        struct target *target = &output->targets[i];
        struct sink sink = output_sink(target);
        struct err err = {""};
        if (!target->begun) continue;
        target->begun = false;
        const struct story_trace *told = target->place.code ? NULL : trace;
        enum lang lang = speak(target);
        note_failure(target, target->view->end(target->state, &sink, &target->options, told, &err), &err);
        lang_use(lang);
    }
}

static int tell(void *data, const struct event *event)
{
    struct output *output = data;
    return output->code = teller_feed(output->teller, event);
}

static int tell_time(void *data, int64_t until_ns)
{
    struct output *output = data;
    return output->code = teller_pass(output->teller, until_ns);
}

/* 0 or the sender's failure. */
static int finish_sender(const struct output *output, struct otlp_sender *sender, struct err *err)
{
    uint64_t taken = 0;
    int code = otlp_sender_finish(sender, &taken, err);
    if (code)
        err_prefix(err, "--otlp");
    else
        note_say(output->options.quiet, "sent %" PRIu64 " spans to %s", taken, otlp_sender_url(sender));
    return code;
}

static void note_written(const struct output *output, const struct target *target)
{
    char many[32];
    snprintf(many, sizeof(many), tr("%" PRIu64 " connections"), output->written);
    note_say(output->options.quiet, "wrote %s: %s", target->place.label,
             !target->view && !target->saved ? tr("the recorded events")
             : output->written == 1          ? tr("1 connection")
                                             : many);
}

/* One place's failure keeps no other from being finished. A reader of standard output that has gone is the least of them. */
static int finish(struct output *output, struct err *err)
{
    int result = 0;
    for (size_t i = 0; i < output->count; i++) {
        struct target *target = &output->targets[i];
        struct place *place = &target->place;
        struct err sending;
        if (target->sender) { /* the last of all */
            int sent = finish_sender(output, target->sender, &sending);
            if (sent && (!result || result == -EPIPE)) result = sent, *err = sending;
            continue;
        }
        bool is_stdout = place->fd == STDOUT_FILENO;
        int code = place_finish(place);
        if (!code && output->options.file_count > i) note_written(output, &output->targets[i]);
        if (!code || (result && result != -EPIPE)) continue;
        if (code == -EPIPE && is_stdout) {
            result = code;
            continue;
        }
        result = code == -EPIPE ? -EIO : code;
        *err = place->err;
    }
    return result;
}

void output_look(struct output *output, void (*look)(void *data, struct story *story), void *data)
{
    output->look = look;
    output->look_data = data;
}

static int join(struct output *output, struct stream *stream, struct err *err)
{
    output_look_up_run(output, stream_log(stream));
    begin(output);
    enum lang lang = lang_use(LANG_EN);
    recorded_begin(output);
    lang_use(lang);
    output->teller = teller_new(take_story, output);
    if (output->teller && output->options.bounds) teller_set_bounds(output->teller, output->options.bounds);
    output->code = output->teller ? stream_tap(stream, 0, tell, output) : -ENOMEM;
    /* Of a run without end: what is over is told, whether or not anything else happens. */
    if (output->options.bounds && output->options.bounds->ends_idle) stream_tell_time(stream, output, tell_time);
    if (!output->code) output->code = stream_tap(stream, 0, recorded_event, output);
    return output->code ? err_set_errno(err, output->code, "can't tell the story") : 0;
}

int output_join(struct output *output, struct stream *stream, struct err *err)
{
    output->live = true;
    return join(output, stream, err);
}

int output_finish(struct output *output, struct err *err)
{
    int code = output->code;
    if (!code) code = teller_finish(output->teller);
    end(output, code ? NULL : teller_trace(output->teller));
    enum lang lang = lang_use(LANG_EN);
    if (!code) recorded_end(output);
    lang_use(lang);
    return code ? err_set_errno(err, code, "can't tell the story") : finish(output, err);
}

int output_tell(struct output *output, struct event_log *log, struct err *err)
{
    event_log_sort(log); /* what comes first of a run's facts is first in time */
    struct stream *stream = stream_new(log, false);
    int code = stream ? join(output, stream, err) : err_set_errno(err, -ENOMEM, "can't tell the story");
    if (!code) stream_finish(stream);
    if (!code) code = output_finish(output, err);
    stream_free(stream);
    return code;
}

uint64_t output_stories(const struct output *output)
{
    return output->stories;
}

void output_close(struct output *output)
{
    if (!output) return;
    end(output, NULL);
    for (size_t i = 0; i < output->count; i++) {
        place_close(&output->targets[i].place);
        otlp_sender_free(output->targets[i].sender);
        saved_free(output->targets[i].saved);
    }
    teller_free(output->teller);
    arena_free(&output->facts);
    buf_free(&output->line);
    free(output->targets);
    free(output);
}
