/* Internal to viz/export: segments and datagrams of a trace for Perfetto. */
#ifndef TCPWHY_VIZ_EXPORT_PERFETTO_SEGMENTS_H
#define TCPWHY_VIZ_EXPORT_PERFETTO_SEGMENTS_H

#include "viz/export/perfetto_own.h"
#include "viz/plan/facts.h"
#include "viz/plan/words.h"
#include "viz/view.h"

enum { NAME_BYTES = 256 };
#define STORY_BYTES_MAX ((size_t)1 << 30)

/* What leads on from a packet does so from where it arrived, if that was seen. */
void perfetto_tell_packet(struct perfetto_telling *telling, uint32_t i);

#endif
