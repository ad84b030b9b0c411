/* Sorting what nearly always is in order, and what is much. */
#ifndef TCPWHY_BASE_SORT_H
#define TCPWHY_BASE_SORT_H

#include <stddef.h>

/* As qsort(3), but what is in order already is looked through once and no more. `items` may be NULL for count 0. */
void sort_items(void *items, size_t count, size_t bytes, int (*compare)(const void *a, const void *b));

/* Items of 8 bytes by the uint32_t that they begin with; of equal ones who was first stays first. Time grows with their count
 * alone. `room` is for as many, and what it holds is lost. */
void sort_numbered(void *items, void *room, size_t count);

#endif
