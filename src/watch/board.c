#include "watch/board.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"

const struct board_limits board_usual = {
    .close_wait_ns = 10000000000, .syn_ns = 900000000, .fin_ns = 5000000000, .window_ns = 5000000000};

/* What was said of a connection, as long as it is open. */
struct said {
    uint32_t round;
    uint8_t troubles;             /* a bit each */
    int64_t shut_ns[STORY_SIDES]; /* since when no window was offered; 0: one is */
};

struct board {
    struct board_limits limits;
    struct chooser *chooser;
    board_listener *listener;
    void *data;
    struct table *said; /* number → struct said, of those in trouble alone */
    uint32_t round;
    int64_t now_ns;
    uint64_t open, troubled;
};

struct board *board_new(const struct board_limits *limits, struct chooser *chooser, board_listener *listener, void *data)
{
    struct board *board = calloc(1, sizeof(*board));
    if (!board) return NULL;
    *board = (struct board){
        .limits = *limits, .chooser = chooser, .listener = listener, .data = data, .said = table_new(sizeof(uint32_t))};
    if (board->said) return board;
    free(board);
    return NULL;
}

void board_free(struct board *board)
{
    void *value;
    if (!board) return;
    for (size_t cursor = 0; table_next(board->said, &cursor, NULL, &value);) free(value);
    table_free(board->said);
    free(board);
}

/* The trouble that an end is in, and since when; `shut_ns`: since when its window was seen closed. */
static enum watch_trouble judge(const struct board *board, const struct teller_glance *glance, int side, int64_t shut_ns,
                                int64_t *ret_since_ns)
{
    enum tcp_state state = glance->state[side];
    int64_t own_ns = glance->fin_ns[side], peer_ns = glance->fin_ns[!side];
    *ret_since_ns = peer_ns;
    if (state == STATE_CLOSE_WAIT && peer_ns && board->now_ns - peer_ns >= board->limits.close_wait_ns) return TROUBLE_CLOSE_WAIT;
    *ret_since_ns = glance->full_ns;
    if (side == STORY_SERVER && glance->full_ns) return TROUBLE_QUEUE_FULL;
    *ret_since_ns = glance->start_ns;
    if (side == STORY_CLIENT && glance->unanswered > 0 && board->now_ns - glance->start_ns >= board->limits.syn_ns)
        return TROUBLE_UNANSWERED;
    *ret_since_ns = own_ns;
    if (own_ns && (state == STATE_FIN_WAIT_1 || state == STATE_LAST_ACK || state == STATE_CLOSING) &&
        board->now_ns - own_ns >= board->limits.fin_ns)
        return TROUBLE_NO_ANSWER;
    *ret_since_ns = shut_ns;
    if (shut_ns && board->now_ns - shut_ns >= board->limits.window_ns) return TROUBLE_ZERO_WINDOW;
    return TROUBLE_NONE;
}

static struct said *said_of(struct board *board, uint32_t number, bool make)
{
    struct said *said = table_get(board->said, &number);
    if (said || !make) return said;
    said = calloc(1, sizeof(*said));
    if (said && !table_put(board->said, &number, said)) return said;
    free(said);
    return NULL;
}

static void look(void *data, const struct teller_glance *glance)
{
    struct board *board = data;
    if (glance->over || !chooser_wants_ends(board->chooser, glance->end, glance->process)) return;
    board->open++;
    struct said *said = said_of(board, glance->number, glance->shut[STORY_CLIENT] || glance->shut[STORY_SERVER]);
    bool troubled = false;
    for (int side = 0; side < STORY_SIDES; side++) {
        int64_t since_ns;
        if (said)
            said->shut_ns[side] = !glance->shut[side] ? 0 : said->shut_ns[side] ? said->shut_ns[side] : glance->since_ns[side];
        enum watch_trouble trouble = judge(board, glance, side, said ? said->shut_ns[side] : 0, &since_ns);
        if (trouble == TROUBLE_NONE) continue;
        troubled = true;
        if (!said) said = said_of(board, glance->number, true);
        if (!said || said->troubles >> trouble & 1) continue;
        said->troubles |= (uint8_t)(1U << trouble);
        board->listener(board->data, glance, trouble, (enum story_side)side, since_ns);
    }
    if (said) said->round = board->round;
    board->troubled += troubled;
}

/* What is no longer open leaves. */
static void sweep(struct board *board)
{
    enum { AT_ONCE = 256 };
    for (;;) {
        uint32_t gone[AT_ONCE];
        size_t count = 0;
        const void *key;
        void *value;
        for (size_t cursor = 0; count < AT_ONCE && table_next(board->said, &cursor, &key, &value);)
            if (((const struct said *)value)->round != board->round) memcpy(&gone[count++], key, sizeof(gone[0]));
        for (size_t i = 0; i < count; i++) free(table_remove(board->said, &gone[i]));
        if (count < AT_ONCE) return;
    }
}

void board_look(struct board *board, const struct teller *teller, int64_t now_ns)
{
    board->round++;
    board->now_ns = now_ns;
    board->open = board->troubled = 0;
    teller_glance_open(teller, look, board);
    sweep(board);
}

uint64_t board_open(const struct board *board)
{
    return board->open;
}

uint64_t board_troubled(const struct board *board)
{
    return board->troubled;
}
