/* Chains are interned: a run has some hundreds of them, and each is read once. */
#include <stdlib.h>

#include "story/track/track.h"

struct chain_verdict chain_known(struct teller *teller, const struct event_chain *chain)
{
    if (!chain) return chain_read(NULL);
    struct chain_verdict *known = table_get(teller->chains, &chain);
    if (known) return *known;
    struct chain_verdict verdict = chain_read(chain);
    known = table_count(teller->chains) < CHAINS_KNOWN_MAX ? malloc(sizeof(*known)) : NULL;
    if (!known) return verdict;
    *known = verdict;
    if (table_put(teller->chains, &chain, known)) free(known);
    return verdict;
}
