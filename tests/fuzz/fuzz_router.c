/* Any frame is routed within its bounds, whatever the router is told to do with it; what comes out can be read again. The first
 * byte chooses the orders, the second the side. */
#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>

#include "lab/wire/ip_frame.h"
#include "lab/wire/router.h"
#include "tcp/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_again(void *data, bool back, const uint8_t *bytes, uint32_t length)
{
    struct ip_frame frame;
    uint8_t *copy = malloc(length);
    (void)data;
    if (!copy) return;
    memcpy(copy, bytes, length);
    if (!ip_frame_read(copy, length, &frame) || frame.length != length) abort();
    if (back && length > IP_FRAME_ANSWER_BYTES) abort();
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct router_order orders[8] = {
        {.verb = ROUTER_ROUTE},
        {.verb = ROUTER_TRANSLATE, .from = WIRE_FROM_CLIENT},
        {.verb = ROUTER_TRANSLATE, .from = WIRE_FROM_SERVER},
        {.verb = ROUTER_REFUSE, .answer = ROUTER_RST, .rule = {.from = WIRE_FROM_BOTH, .match = WIRE_DATA}},
        {.verb = ROUTER_REFUSE, .answer = ROUTER_ADMIN_PROHIBITED, .rule = {.from = WIRE_FROM_BOTH, .match = WIRE_SYN}},
        {.verb = ROUTER_SKIP, .rule = {.from = WIRE_FROM_BOTH, .match = WIRE_ANY, .nth = 1}},
        {.verb = ROUTER_MTU, .mtu_bytes = ROUTER_MTU_MIN, .answer = ROUTER_NET_UNREACHABLE},
        {.verb = ROUTER_FORGET, .answer = ROUTER_RST},
    };
    static struct router router;
    if (size < 2) return 0;
    memset(&router, 0, sizeof(router));
    for (size_t i = 0; i < 8; i++)
        if (i == 0 || data[0] >> i & 1) router_obey(&router, &orders[i]);
    uint32_t length = (uint32_t)size - 2, rule;
    for (int turn = 0; turn < 2 && length <= IP_FRAME_BYTES_MAX; turn++) { /* the second time its flow is known */
        struct event_packet packet;
        uint8_t *bytes = malloc(length + !length);
        if (!bytes) return 0;
        memcpy(bytes, data + 2, length);
        bool known = segment_decode(DLT_EN10MB, bytes, length, length, &packet) == SEGMENT_OK;
        router_route(&router, data[1] & 1 ? WIRE_FROM_SERVER : WIRE_FROM_CLIENT, known ? &packet.header : NULL, bytes, length,
                     read_again, NULL, &rule);
        free(bytes);
    }
    return 0;
}
