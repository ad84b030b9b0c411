#include "story/sections.h"

#include <string.h>

struct named_section {
    const char *name, *section;
};

static const char *find(const struct named_section *rows, size_t count, const char *name)
{
    for (size_t i = 0; name && i < count; i++)
        if (strcmp(rows[i].name, name) == 0) return rows[i].section;
    return NULL;
}

const char *section_of_call(const char *name)
{
    static const struct named_section rows[] = {
        {"connect", "3.10.1"}, {"listen", "3.10.1"}, {"accept", "3.9.1.1"}, {"accept4", "3.9.1.1"}, {"sendto", "3.10.2"},
        {"send", "3.10.2"},    {"write", "3.10.2"},  {"writev", "3.10.2"},  {"sendmsg", "3.10.2"},  {"recvfrom", "3.10.3"},
        {"recv", "3.10.3"},    {"read", "3.10.3"},   {"readv", "3.10.3"},   {"recvmsg", "3.10.3"},  {"close", "3.10.4"},
        {"shutdown", "3.6.1"}, {"dup2", "3.10.4"},   {"dup3", "3.10.4"},    {"execve", "3.10.4"},
    };
    return find(rows, sizeof(rows) / sizeof(rows[0]), name);
}

static const char *section_of_timer(const char *name)
{
    static const struct named_section rows[] = {
        {"keepalive", "3.8.4"}, {"delayed-ack", "3.8.6.3"}, {"compressed-ack", "3.8.6.3"}, {"zero-window-probe", "3.8.6.1"}};
    const char *section = find(rows, sizeof(rows) / sizeof(rows[0]), name);
    return section ? section : "3.8.1";
}

const char *section_of_segment(const struct story_segment *segment)
{
    static const char *const sections[STORY_KINDS] = {
        [STORY_SYN] = "3.5", [STORY_SYN_ACK] = "3.5", [STORY_FIN] = "3.6", [STORY_RST] = "3.5.2", [STORY_DATA] = "3.8"};
    if (segment->cause.kind == CAUSE_TIMER) return section_of_timer(segment->cause.name);
    if (segment->retransmission) return "3.8.1";
    if (sections[segment->kind]) return sections[segment->kind];
    return segment->handshake ? "3.5" : segment->teardown ? "3.6" : "3.10.7.4";
}

const char *section_of_state(const struct story_state *state)
{
    size_t count;
    const struct tcp_arrow *arrows = tcp_arrows(&count);
    for (size_t i = 0; i < count; i++)
        if (arrows[i].from == state->from_state && arrows[i].to == state->to_state && strcmp(arrows[i].why, state->cause.why) == 0)
            return arrows[i].section;
    return "3.3.2";
}
