#include "read/places.h"

#include <inttypes.h>
#include <pcap/dlt.h>
#include <stdio.h>
#include <string.h>

enum { BY_FILE, BY_NAME, BY_SECTION, BY_COOKED_INDEX, BY_COOKED_WAY };

/* Linux cooked headers, in network byte order:
 *   version 1: packet type (2), …               version 2: protocol (2), reserved (2), interface index (4), … */
enum { COOKED_OUTGOING = 4 };

static struct place_key key_of(struct savefile *file, const struct savefile_packet *packet)
{
    const uint8_t *bytes = packet->bytes;
    struct place_key key = {.kind = BY_FILE, .name = "capture"};
    if (packet->link_type == DLT_LINUX_SLL2 && packet->captured >= 8) {
        key.kind = BY_COOKED_INDEX;
        key.index = (uint64_t)bytes[4] << 24 | (uint64_t)bytes[5] << 16 | (uint64_t)bytes[6] << 8 | bytes[7];
        snprintf(key.name, sizeof(key.name), "interface %" PRIu64, key.index);
        return key;
    }
    if (packet->link_type == DLT_LINUX_SLL && packet->captured >= 2) {
        key.kind = BY_COOKED_WAY;
        key.index = bytes[0] == 0 && bytes[1] == COOKED_OUTGOING;
        strcpy(key.name, key.index ? "any (out)" : "any (in)");
        return key;
    }
    const struct savefile_interface *interface = savefile_interface(file, packet->interface);
    if (!interface) return key;
    key.way = packet->options_bytes ? savefile_way(packet) : SAVEFILE_WAY_UNKNOWN;
    if (interface->name[0]) {
        key.kind = BY_NAME;
        snprintf(key.name, sizeof(key.name), "%s", interface->name);
    } else if (interface->index) {
        key.kind = BY_SECTION;
        key.index = interface->index;
        snprintf(key.name, sizeof(key.name), "interface %" PRIu64, key.index);
    }
    static const char *const ways[] = {"", " (in)", " (out)"};
    size_t length = strlen(key.name), room = sizeof(key.name) - sizeof(" (out)");
    if (key.way) strcpy(key.name + (length < room ? length : room), ways[key.way]);
    return key;
}

/* What of a cooked header tells places apart. */
static uint32_t cooked_index(const struct savefile_packet *packet)
{
    const uint8_t *bytes = packet->bytes;
    if (packet->link_type == DLT_LINUX_SLL && packet->captured >= 2) return (uint32_t)bytes[0] << 8 | bytes[1];
    if (packet->link_type != DLT_LINUX_SLL2 || packet->captured < 8) return UINT32_MAX;
    return (uint32_t)bytes[4] << 24 | (uint32_t)bytes[5] << 16 | (uint32_t)bytes[6] << 8 | bytes[7];
}

static uint32_t find_place(struct places *places, struct savefile *file, const struct savefile_packet *packet)
{
    const struct place_key key = key_of(file, packet);
    size_t i = 0;
    while (i < places->count && (places->keys[i].kind != key.kind || places->keys[i].index != key.index ||
                                 places->keys[i].way != key.way || strcmp(places->keys[i].name, key.name) != 0))
        i++;
    if (i == places->count && places->count < PLACES_MAX) places->keys[places->count++] = key;
    return (uint32_t)(i < PLACES_MAX ? i : PLACES_MAX - 1) + 1;
}

uint32_t places_of(struct places *places, struct savefile *file, const struct savefile_packet *packet)
{
    struct place_last *last = &places->last;
    uint32_t index = cooked_index(packet);
    enum savefile_way way = packet->options_bytes ? savefile_way(packet) : SAVEFILE_WAY_UNKNOWN;
    if (last->place && last->interface == packet->interface && last->link_type == packet->link_type && last->index == index &&
        last->way == way)
        return last->place;
    *last = (struct place_last){packet->interface, index, find_place(places, file, packet), packet->link_type, way};
    return last->place;
}
