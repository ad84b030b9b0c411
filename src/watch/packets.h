/* A story's segments as a capture (pcapng), each with the sentence of its cause. */
#ifndef TCPWHY_WATCH_PACKETS_H
#define TCPWHY_WATCH_PACKETS_H

#include "story/story.h"
#include "viz/view.h"

/* Segments that the kernel alone has shown are not among them. 0; -ENOMEM; or the sink's failure. */
int packets_save(const struct story *story, const struct sink *sink);

#endif
