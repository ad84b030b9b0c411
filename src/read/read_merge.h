/* tcpwhy read --merge: two captures of the same connections, told as one story each. */
#ifndef TCPWHY_READ_READ_MERGE_H
#define TCPWHY_READ_READ_MERGE_H

#include "read/read_capture.h"

/* Exactly two files. Codes as read_capture; CLI_FAILED where nothing is in both. */
int read_merge(const struct read_source *source, const struct read_options *options, struct err *err);

#endif
