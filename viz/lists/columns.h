/* The columns of the list of connections, in their order: list.c writes all of them, screen.c those that fit a terminal. */
#ifndef TCPWHY_VIZ_COLUMNS_H
#define TCPWHY_VIZ_COLUMNS_H

enum column {
    COLUMN_NUMBER,
    COLUMN_START,
    COLUMN_TOOK,
    COLUMN_CLIENT,
    COLUMN_SERVER,
    COLUMN_OUTCOME,
    COLUMN_STATES,
    COLUMN_RTT,
    COLUMN_CLOSED,
    COLUMN_SEGMENTS,
    COLUMN_SENT,
    COLUMN_RECEIVED,
    COLUMN_AGAIN,
    COLUMN_NOTES /* the rest of the line */
};

#endif
