/* Internal to router.c and router_rules.c. */
#ifndef TCPWHY_ROUTER_OWN_H
#define TCPWHY_ROUTER_OWN_H

#include "lab/network/network.h"
#include "lab/wire/ip_frame.h"
#include "lab/wire/router.h"
#include "tcp/segment.h"

enum { LINK = 14, FRAME_ROOM = 4096, OUT_MAX = 16, HOPS = 64, CLIENT_PORT = 40000, SERVER_PORT = 3333, DONT_FRAGMENT = 0x4000 };

struct frame {
    uint8_t bytes[FRAME_ROOM];
    uint32_t length;
};

struct ends {
    enum network_place from;
    struct address source, destination; /* with ports */
};

void put16(uint8_t *at, unsigned value);
unsigned get16(const uint8_t *at);
unsigned sum_of(const uint8_t *bytes, size_t length, unsigned long sum);
struct ends ends(struct address source, uint16_t source_port, struct address destination, uint16_t destination_port);
struct ends from_client(uint8_t version);
struct ends from_server(uint8_t version);
/* The headers before the transport's; that one's bytes are the caller's, and its checksum is `checksum_at` in it. */
void begin(struct frame *frame, const struct ends *way, uint8_t protocol, uint32_t payload);
uint8_t *transport_of(struct frame *frame);
void seal(struct frame *frame, size_t checksum_at);
struct frame tcp(struct ends way, uint8_t flags, uint32_t payload);
struct frame udp(struct ends way, uint32_t payload, bool with_checksum);
bool route(const struct frame *frame);
bool route_tcp(struct ends way, uint8_t flags, uint32_t payload);
void order(struct router_order order);
struct wire_rule any_from(unsigned from, enum wire_match match, uint32_t nth);
int begin_routing(void **state);
void assert_ip(struct address got, struct address wanted);
uint8_t hops_of(const struct frame *frame);
/* One frame came out, onwards, with these addresses and one hop less. */
void assert_on(struct address source, struct address destination);
/* One frame came back: an ICMP error of the router's own address on that side, to who sent `way`, about that. */
void assert_icmp(struct ends way, unsigned v4_type, unsigned v4_code, unsigned v6_type, unsigned v6_code);
void a_rule_counts_what_it_names_and_silence_is_silent(void **state);
void the_clients_address_becomes_the_routers_and_back(void **state);
void a_udp_checksum_that_is_not_there_stays_away(void **state);
void what_comes_for_the_routers_address_is_the_servers(void **state);
void an_error_about_a_translated_packet_is_translated_inside_too(void **state);
void a_skipped_segment_goes_on_as_it_stands(void **state);
void a_forgotten_flow_is_refused_until_it_is_opened_again(void **state);
void a_forgotten_translation_is_gone(void **state);
void what_is_larger_than_the_mtu_is_told_of(void **state);
void a_silent_mtu_is_a_black_hole_for_what_is_larger(void **state);
void what_may_be_cut_goes_on_in_pieces_that_make_the_whole(void **state);
void orders_that_make_no_sense_are_refused(void **state);
void frames_that_are_cut_short_are_not_taken(void **state);

extern struct router router;

struct out {
    bool back;
    struct frame frame;
    struct event_packet packet;
};

extern struct out out[OUT_MAX];
extern size_t out_count;
extern uint32_t last_rule;

#endif
