/* How much may gather before it is told, and how much is told at once. */
#ifndef TCPWHY_RECORD_PACE_H
#define TCPWHY_RECORD_PACE_H

#include <stddef.h>

/* How many events may wait: as many as an eighth of the memory holds, and half a gigabyte at most. */
size_t pace_waiting_most(void);
/* How many events are told between two looks into the recorder's ring, so that it does not fill up meanwhile, where the last look
 * brought `total`: more than come, or they would gather for ever. */
size_t pace_portion(int total);

#endif
