#include "event/event.h"

static const char *const state_names[KERNEL_STATES] = {
    [KERNEL_STATE_UNKNOWN] = "UNKNOWN",
    [KERNEL_ESTABLISHED] = "ESTABLISHED",
    [KERNEL_SYN_SENT] = "SYN_SENT",
    [KERNEL_SYN_RECV] = "SYN_RECV",
    [KERNEL_FIN_WAIT1] = "FIN_WAIT1",
    [KERNEL_FIN_WAIT2] = "FIN_WAIT2",
    [KERNEL_TIME_WAIT] = "TIME_WAIT",
    [KERNEL_CLOSE] = "CLOSE",
    [KERNEL_CLOSE_WAIT] = "CLOSE_WAIT",
    [KERNEL_LAST_ACK] = "LAST_ACK",
    [KERNEL_LISTEN] = "LISTEN",
    [KERNEL_CLOSING] = "CLOSING",
    [KERNEL_NEW_SYN_RECV] = "NEW_SYN_RECV",
};

const char *event_kernel_state_name(unsigned state)
{
    return state < KERNEL_STATES ? state_names[state] : "?";
}

const struct event_flag event_flags[EVENT_FLAGS] = {
    {'S', TCP_SYN}, {'F', TCP_FIN}, {'R', TCP_RST}, {'P', TCP_PSH}, {'.', TCP_ACK}, {'U', TCP_URG}, {'E', TCP_ECE}, {'W', TCP_CWR},
};
