/* Lines in order of time, though of some it is learnt later what they tell: each is held until nothing earlier is expected.
 * Bounded: where too much waits, the earliest go out before their time. */
#ifndef TCPWHY_OUT_ORDER_H
#define TCPWHY_OUT_ORDER_H

#include <stddef.h>
#include <stdint.h>

struct order;

/* Given the lines, each as a whole. */
typedef void order_taker(void *data, const char *line, size_t length);

/* `limit`: so many bytes of lines may wait. NULL: out of memory. Release with order_free (NULL is fine), which forgets what waits.
 */
struct order *order_new(size_t limit, order_taker *take, void *data);
void order_free(struct order *order);
/* A line about `t_ns`, copied. Out of memory, it goes out at once. */
void order_put(struct order *order, int64_t t_ns, const char *line, size_t length);
/* Hands on what is about `until_ns` or before: in order of time, of one time in the order in which it came. */
void order_release(struct order *order, int64_t until_ns);

#endif
