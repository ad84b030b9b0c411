/* Who listened already as recording began: of a connection that was open then, the end at such a port is the server's. */
#include <string.h>

#include "story/track/track.h"

enum { LISTENERS_MAX = 65536 }; /* of more who serves is a guess */

static struct listener_key key_of(const struct address *local, uint64_t netns)
{
    struct listener_key key;
    memset(&key, 0, sizeof(key));
    key.netns = netns;
    key.local = *local;
    return key;
}

int listeners_take(struct teller *teller, const struct event *event)
{
    struct listener_key key = key_of(&event->listener.local, event->listener.netns);
    bool fits = key.netns && key.local.port && table_count(teller->listeners) < LISTENERS_MAX;
    return fits ? table_put(teller->listeners, &key, teller) : 0;
}

bool listeners_serve(const struct teller *teller, const struct address *local, uint64_t netns)
{
    static const uint8_t none[16] = {0};
    const struct address at[] = {*local, address_v6(none, local->port), address_v4(none, local->port)}; /* "::" serves IPv4 too */
    for (size_t i = 0; netns && table_count(teller->listeners) && i < (local->version == 4 ? 3 : 2); i++) {
        struct listener_key key = key_of(&at[i], netns);
        if (table_get(teller->listeners, &key)) return true;
    }
    return false;
}

void listeners_forget(struct teller *teller, const struct address *local, uint64_t netns)
{
    struct listener_key key = key_of(local, netns);
    table_remove(teller->listeners, &key);
}
