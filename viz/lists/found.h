/* What was found in a row of stories, for a list of them: collected as they are told, without keeping any. */
#ifndef TCPWHY_VIZ_FOUND_H
#define TCPWHY_VIZ_FOUND_H

#include "viz/lists/rows.h"

struct found;

/* NULL: no memory. */
struct found *found_new(void);
void found_free(struct found *found);
/* 0 or -ENOMEM. */
int found_take(struct found *found, const struct story *story);
/* What has been taken so far; the pointer stays until found_free. */
const struct rows_findings *found_rows(const struct found *found);

#endif
