/* Between the files that write a story for the page. */
#ifndef TCPWHY_VIZ_PAGE_OWN_H
#define TCPWHY_VIZ_PAGE_OWN_H

#include "tcp/figure.h"
#include "viz/page/page_words.h"
#include "viz/plan/plan.h"

struct page_telling {
    const struct story *story;
    const struct view_options *options;
    struct view_options detailed; /* for what is read beside the drawing */
    struct plan plan;
    struct page_words *words;
    struct json json;
    uint32_t *row_of, *packet_of, *call_of; /* by step; PLAN_NONE: it has none */
    uint32_t packet_count;
    uint32_t packets_seen, calls_seen; /* of those, by the rows written so far */
    uint32_t base[STORY_SIDES];        /* what stands for number 0 of each end */
    bool has_base[STORY_SIDES];
    int64_t last_stamp[STORY_SIDES];     /* of each end's timestamps */
    int64_t last_ns;                     /* of the row before */
    int64_t last_number;                 /* of the packet before */
    int64_t last_began_ns;               /* of the call before */
    const struct story_call **processes; /* a call of each that was named */
    uint32_t process_count;
    bool failed;
};

/* [client's base, server's base], null where no segment shows it. */
void page_write_bases(struct page_telling *t);
void page_write_packets(struct page_telling *t);
void page_write_calls(struct page_telling *t);
/* Those that the calls name, in the order in which they do. */
void page_write_processes(struct page_telling *t);

#endif
