#include "out/order.h"

#include <stdlib.h>
#include <string.h>

struct item {
    int64_t t_ns;
    uint64_t came;
    char *line;
    size_t length;
};

struct order {
    order_taker *take;
    void *data;
    struct item *items;
    size_t count, room, bytes, limit;
    uint64_t came;
    int64_t first_ns; /* the earliest of those that wait */
};

struct order *order_new(size_t limit, order_taker *take, void *data)
{
    struct order *order = calloc(1, sizeof(*order));
    if (order) *order = (struct order){.take = take, .data = data, .limit = limit, .first_ns = INT64_MAX};
    return order;
}

void order_free(struct order *order)
{
    if (!order) return;
    for (size_t i = 0; i < order->count; i++) free(order->items[i].line);
    free(order->items);
    free(order);
}

static struct item *room_for_one(struct order *order)
{
    if (order->count == order->room) {
        size_t room = order->room ? order->room * 2 : 256;
        struct item *items = reallocarray(order->items, room, sizeof(*items));
        if (!items) return NULL;
        order->items = items;
        order->room = room;
    }
    return &order->items[order->count];
}

static int by_time(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int order = (x->t_ns > y->t_ns) - (x->t_ns < y->t_ns);
    return order ? order : (x->came > y->came) - (x->came < y->came);
}

static void hand_on(struct order *order, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        order->take(order->data, order->items[i].line, order->items[i].length);
        order->bytes -= order->items[i].length;
        free(order->items[i].line);
    }
    order->count -= count;
    if (count) memmove(order->items, order->items + count, order->count * sizeof(*order->items));
    order->first_ns = order->count ? order->items[0].t_ns : INT64_MAX;
}

static void sort(struct order *order)
{
    if (order->count) qsort(order->items, order->count, sizeof(*order->items), by_time);
}

void order_put(struct order *order, int64_t t_ns, const char *line, size_t length)
{
    if (order->bytes + length > order->limit) {
        sort(order);
        hand_on(order, (order->count + 1) / 2);
    }
    struct item *item = room_for_one(order);
    char *copy = item ? malloc(length ? length : 1) : NULL;
    if (!copy) {
        order->take(order->data, line, length);
        return;
    }
    memcpy(copy, line, length);
    *item = (struct item){t_ns, order->came++, copy, length};
    order->count++;
    order->bytes += length;
    if (t_ns < order->first_ns) order->first_ns = t_ns;
}

void order_release(struct order *order, int64_t until_ns)
{
    size_t due = 0;
    if (order->first_ns > until_ns) return;
    sort(order);
    while (due < order->count && order->items[due].t_ns <= until_ns) due++;
    hand_on(order, due);
}
