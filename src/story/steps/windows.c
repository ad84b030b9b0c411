/* The windows that the ends offered: in bytes where the handshake's scale was seen, and where they matter. */
#include "story/steps/telling.h"
#include "tcp/segment.h"

/* RFC 7323 section 2.3: above 14 counts as 14. */
enum { SCALE_UNKNOWN = -1, SCALE_MOST = 14 };

/* What a SYN said of its sender's windows; scaling is on only where both ends said so. A SYN without any option may have been cut.
 */
static int scale_of(const struct tale_packet *syn)
{
    const struct event_options *options = &syn->seen->packet.options;
    if (!syn->seen->captured || !options->present) return SCALE_UNKNOWN;
    if (!(options->present & OPTION_WSCALE)) return 0;
    return options->wscale < SCALE_MOST ? options->wscale : SCALE_MOST;
}

static void find_scales(const struct telling *telling, int scale[STORY_SIDES])
{
    bool offered[STORY_SIDES] = {false};
    scale[STORY_CLIENT] = scale[STORY_SERVER] = SCALE_UNKNOWN;
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        if (!packet->segment || !(packet->segment->flags & TCP_SYN) || scale[packet->side] != SCALE_UNKNOWN) continue;
        scale[packet->side] = scale_of(packet);
        offered[packet->side] = packet->seen->packet.options.present & OPTION_WSCALE;
    }
    bool both_seen = scale[STORY_CLIENT] != SCALE_UNKNOWN && scale[STORY_SERVER] != SCALE_UNKNOWN;
    bool one_refused = (scale[STORY_CLIENT] == 0 && !offered[STORY_CLIENT]) || (scale[STORY_SERVER] == 0 && !offered[STORY_SERVER]);
    for (int side = 0; side < STORY_SIDES; side++) {
        if (telling->flow->to_itself && scale[side] == SCALE_UNKNOWN) scale[side] = scale[!side];
        if (one_refused) scale[side] = 0;
        if (!one_refused && !both_seen && !telling->flow->to_itself) scale[side] = SCALE_UNKNOWN;
    }
}

void windows_find_all(struct telling *telling)
{
    int scale[STORY_SIDES];
    bool is_closed[STORY_SIDES] = {false};
    find_scales(telling, scale);
    for (size_t i = 0; i < telling->packet_count; i++) {
        const struct tale_packet *packet = &telling->packets[i];
        struct story_segment *segment = packet->segment;
        /* A RST offers nothing, whatever stands there; a cut one is not known. */
        if (!segment || segment->flags & TCP_RST || packet->seen->packet.window_cut) continue;
        bool is_scaled = !(segment->flags & TCP_SYN); /* a SYN's own window never is */
        bool is_unknown = is_scaled && segment->window && scale[packet->side] == SCALE_UNKNOWN;
        segment->window_kind = is_unknown ? WINDOW_UNSCALED : WINDOW_BYTES;
        segment->window_bytes = (uint32_t)segment->window
                                << (is_scaled && !is_unknown && scale[packet->side] > 0 ? scale[packet->side] : 0);
        segment->window_matters = segment->window == 0 || is_closed[packet->side];
        is_closed[packet->side] = segment->window == 0;
    }
}
