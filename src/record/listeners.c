#include "record/listeners.h"

#include "capture/listening.h"

int listeners_tell(struct session *session, const uint64_t *netns, size_t count, const uint8_t *ports, struct err *err)
{
    const struct listening_options options = {
        .netns = netns, .netns_count = count, .ports = ports, .t_ns = session_now_ns(session)};
    int code = listening_append(session_log(session), &options);
    return code ? err_set_errno(err, code, "can't begin recording") : 0;
}
