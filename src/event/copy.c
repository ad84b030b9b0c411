#include "event/copy.h"

#include <errno.h>
#include <string.h>

#include "event/extent.h"
#include "event/fields.h"

static int copy_chain(struct event_log *to, const struct event_field *field, struct event *event)
{
    const struct event_chain *chain;
    char *place = (char *)event + field->offset;
    memcpy(&chain, place, sizeof(chain));
    if (!chain) return 0;
    chain = event_log_chain(to, chain->names, chain->count);
    memcpy(place, &chain, sizeof(chain));
    return chain ? 0 : -ENOMEM;
}

int event_copy(struct event_log *to, const struct event *event)
{
    struct event copy;
    event_assign(&copy, event);
    size_t count;
    const struct event_field *fields = event_fields_of(event->kind, &count);
    int code = 0;
    for (size_t i = 0; i < count && !code; i++)
        if (fields[i].type == FIELD_CHAIN) code = copy_chain(to, &fields[i], &copy);
    if (!code && event->kind == EVENT_PACKET && event->packet.bytes && event->packet.captured_bytes) {
        copy.packet.bytes = event_log_bytes(to, event->packet.bytes, event->packet.captured_bytes);
        if (!copy.packet.bytes) code = -ENOMEM;
    }
    return code ? code : event_log_append(to, &copy);
}
