#include "read/repeats.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/table.h"

static uint64_t key_of(const struct savefile_packet *packet)
{
    const uint64_t values[] = {(uint64_t)packet->t_ns, packet->wire, packet->captured};
    return table_hash(0, values, sizeof(values));
}

static uint64_t bytes_of(const struct savefile_packet *packet)
{
    return table_hash(0, packet->bytes, packet->captured);
}

static void keep(struct repeats *repeats, uint64_t key)
{
    if (repeats->count == REPEATS_MAX) return;
    if (repeats->count == repeats->room) {
        size_t room = repeats->room ? repeats->room * 2 : 1024;
        uint64_t *kept = realloc(repeats->kept, room * sizeof(*kept));
        if (!kept) return;
        repeats->kept = kept;
        repeats->room = room;
    }
    repeats->kept[repeats->count++] = key;
}

static bool begins_again(const struct repeats *repeats, const struct savefile_packet *packet, uint64_t key)
{
    static const int64_t GONE_ON_NS = 100000000;
    if (!repeats->count || repeats->count == REPEATS_MAX || key != repeats->kept[0]) return false;
    return packet->t_ns < repeats->latest_ns - GONE_ON_NS && bytes_of(packet) == repeats->first;
}

static bool comes_again(struct repeats *repeats, const struct savefile_packet *packet)
{
    if (packet->untimed) return false;
    uint64_t key = key_of(packet);
    bool goes_on = repeats->at && repeats->at < repeats->count && key == repeats->kept[repeats->at];
    if (goes_on || begins_again(repeats, packet, key)) {
        repeats->at = goes_on ? repeats->at + 1 : 1;
        repeats->left_out++;
        return true;
    }
    repeats->at = 0;
    if (!repeats->count) repeats->first = bytes_of(packet);
    if (!repeats->count || packet->t_ns > repeats->latest_ns) repeats->latest_ns = packet->t_ns;
    keep(repeats, key);
    return false;
}

size_t repeats_leave_out(struct repeats *repeats, struct savefile_packet *packets, size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++)
        if (!comes_again(repeats, &packets[i])) {
            if (left != i) packets[left] = packets[i];
            left++;
        }
    return left;
}

void repeats_close(struct repeats *repeats)
{
    free(repeats->kept);
}
