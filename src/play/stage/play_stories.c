/* The stories of a play, all of them, in their order. */
#include <errno.h>

#include "play/stage/play.h"
#include "story/story_list.h"

static int keep_story(void *data, struct story *story)
{
    struct play_stories *stories = data;
    return story_list_add(&stories->list, &stories->count, story);
}

static int tell(void *data, const struct event *event)
{
    struct play_stories *stories = data;
    return stories->code = teller_feed(stories->teller, event);
}

int play_stories_join(struct play_stories *ret_stories, struct stream *stream, struct err *err)
{
    *ret_stories = (struct play_stories){0};
    ret_stories->teller = teller_new(keep_story, ret_stories);
    ret_stories->code = ret_stories->teller ? stream_tap(stream, 0, tell, ret_stories) : -ENOMEM;
    return ret_stories->code ? err_set_errno(err, ret_stories->code, "can't tell the story") : 0;
}

int play_stories_finish(struct play_stories *stories, struct err *err)
{
    int code = stories->code ? stories->code : teller_finish(stories->teller);
    story_list_sort(stories->list, stories->count);
    return code ? err_set_errno(err, code, "can't tell the story") : 0;
}

int play_tell(struct event_log *log, struct play_stories *ret_stories, struct err *err)
{
    struct stream *stream = stream_new(log, false);
    *ret_stories = (struct play_stories){0};
    int code = stream ? play_stories_join(ret_stories, stream, err) : err_set_errno(err, -ENOMEM, "can't tell the story");
    if (!code) stream_finish(stream);
    if (!code) code = play_stories_finish(ret_stories, err);
    stream_free(stream);
    return code;
}

void play_stories_free(struct play_stories *stories)
{
    story_list_free(stories->list, stories->count);
    teller_free(stories->teller);
    *stories = (struct play_stories){0};
}
