/* Internal to src/play/stage: a stage, as its files share it. */
#ifndef TCPWHY_PLAY_STAGE_STAGE_OWN_H
#define TCPWHY_PLAY_STAGE_STAGE_OWN_H

#include "lab/actor/uring.h"
#include "lab/network/destroy.h"
#include "lab/network/host.h"
#include "lab/wire/firewall.h"
#include "lab/wire/wire.h"
#include "out/note.h"
#include "play/stage/port.h"
#include "play/stage/stage.h"

struct stage {
    const struct scenario *scenario;
    struct network *network;
    struct wire *wire;
    struct address v4[2], v6[2]; /* of client and server, port 0 */
    bool shared;                 /* this host's own loopback */
    struct stage_rule {
        uint64_t acted, seen;
    } * rules; /* one a step; only the wire's rules have something in it */
};

enum network_place stage_place(enum scenario_side side);
/* What the wire says now; a rule that it no longer has keeps what was known. */
int stage_ask_rule(struct stage *stage, size_t step, struct err *err);

#endif
