/* A doubly linked list whose links lie in what is listed: adding and taking out cost no search and no allocation.
 *
 * The list owns nothing. A link is in one list at most; its owner knows whether it is. */
#ifndef TCPWHY_BASE_LIST_H
#define TCPWHY_BASE_LIST_H

#include <stddef.h>
#include <stdint.h>

struct list_link {
    struct list_link *before, *behind;
};

struct list {
    struct list_link *first, *last;
    size_t count;
};

/* What a link lies in. */
#define LIST_OF(link, type, member) ((type *)((uintptr_t)(link)-offsetof(type, member)))

/* At the end. */
static inline void list_add(struct list *list, struct list_link *link)
{
    link->before = list->last;
    link->behind = NULL;
    *(list->last ? &list->last->behind : &list->first) = link;
    list->last = link;
    list->count++;
}

/* `link` is in this list. */
static inline void list_remove(struct list *list, struct list_link *link)
{
    *(link->before ? &link->before->behind : &list->first) = link->behind;
    *(link->behind ? &link->behind->before : &list->last) = link->before;
    link->before = link->behind = NULL;
    list->count--;
}

#endif
