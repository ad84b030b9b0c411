#include "story/bounds.h"

const struct teller_bounds teller_stored = {.quiet_ns = INT64_MAX, .closed_max = 32768};
const struct teller_bounds teller_live = {
    .quiet_ns = 2000000000, .closed_max = 4096, .open_max = 65536, .packets_max = 1024, .ends_idle = true};
