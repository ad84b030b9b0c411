/* The page's own text, joined by cmake/JoinPage.cmake from the files in viz/page: up to the figure, from there up to the data, and
 * behind them, with the script. */
#ifndef TCPWHY_VIZ_PAGE_MADE_H
#define TCPWHY_VIZ_PAGE_MADE_H

#include <stddef.h>

extern const char page_head[], page_body[], page_foot[];
extern const size_t page_head_length, page_body_length, page_foot_length;

#endif
