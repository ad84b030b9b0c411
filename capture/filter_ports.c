/* Of the grammar as much as port expressions take: terms joined by "and" and "or", which bind alike and to the left, "not", and
 * parentheses. Whatever else a term says, it is true of any port. */
#include "capture/filter_ports.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "capture/pcap_library.h"

enum { DEPTH_MAX = 8, WORD_BYTES = 64, TERM_WORDS = 8 };

struct words {
    const char *at;
    char word[WORD_BYTES]; /* the next one; "" at the end */
    bool failed;           /* what stands there is not understood */
    bool was_port;         /* the last term was one of a port: a bare value goes on with it */
    int depth;
};

/* The ports that a part of the expression takes for granted. */
struct need {
    bool any;
    struct port_set ports;
};

static bool is_part(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == ':' || c == '/' || c == '-' || c == '_' || c == '%';
}

/* Goes on to the next word. */
static void next(struct words *words)
{
    size_t length = 0;
    while (isspace((unsigned char)*words->at)) words->at++;
    const char *at = words->at;
    if (strncmp(at, "&&", 2) == 0 || strncmp(at, "||", 2) == 0)
        length = 2;
    else if (*at == '(' || *at == ')' || *at == '!')
        length = 1;
    else
        while (is_part(at[length])) length++;
    if ((*at && !length) || length >= WORD_BYTES) words->failed = true;
    if (words->failed) length = 0;
    memcpy(words->word, at, length);
    words->word[length] = '\0';
    words->at += length;
}

static bool is_word(const struct words *words, const char *one, const char *other)
{
    return strcmp(words->word, one) == 0 || strcmp(words->word, other) == 0;
}

static bool ends_term(const struct words *words)
{
    return !words->word[0] || is_word(words, "and", "&&") || is_word(words, "or", "||") || is_word(words, ")", ")");
}

static bool is_qualifier(const char *word)
{
    static const char *const known[] = {"tcp", "udp", "ip", "ip6", "src", "dst"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(word, known[i]) == 0) return true;
    return false;
}

/* pcap reads what begins with 0 as octal, or with 0x as hexadecimal. */
static bool is_decimal(const char *word)
{
    return isdigit((unsigned char)word[0]) && !(word[0] == '0' && isalnum((unsigned char)word[1]));
}

/* A number, or a service's name. -1: neither. */
static int port_of(const char *word)
{
    char *end;
    long number = strtol(word, &end, 10);
    int port, protocol;
    if (end != word && !*end) return is_decimal(word) && number <= UINT16_MAX ? (int)number : -1;
    struct pcap_library lib;
    if (pcap_library_load(&lib, NULL)) return -1;
    return lib.pcap_nametoport(word, &port, &protocol) ? port : -1;
}

static bool add_port(struct need *need, const char *word)
{
    int port = port_of(word);
    if (port >= 0) port_set_add(&need->ports, (uint16_t)port);
    return port >= 0;
}

static bool add_range(struct need *need, const char *word)
{
    char *end;
    long from = strtol(word, &end, 10), to = *end == '-' ? strtol(end + 1, &end, 10) : -1;
    if (!is_decimal(word) || to < from || to > UINT16_MAX || *end || !is_decimal(strchr(word, '-') + 1)) return false;
    for (long port = from; port <= to; port++) port_set_add(&need->ports, (uint16_t)port);
    return true;
}

/* "tcp dst port 80", or "80" behind such a term (a name might be another term). What else a term says, "not" or a parenthesis
 * within it too ("port not 80", "port (80 or 443)"), is true of any port; such a parenthesis's end is one too many, and nothing is
 * known. */
static void read_primitive(struct words *words, struct need *need)
{
    char word[TERM_WORDS][WORD_BYTES];
    size_t count = 0, at = 0; /* the first that is no qualifier */
    for (; !ends_term(words) && !words->failed; next(words)) {
        if (count == TERM_WORDS) {
            words->failed = true;
            return;
        }
        if (at == count && is_qualifier(words->word)) at++;
        memcpy(word[count++], words->word, WORD_BYTES);
    }
    if (!count) words->failed = true;
    bool is_bare = count == 1 && words->was_port && isdigit((unsigned char)word[0][0]);
    bool is_port = count - at == 2 && strcmp(word[at], "port") == 0,
         is_range = count - at == 2 && strcmp(word[at], "portrange") == 0;
    need->any = true;
    if (is_range) need->any = !add_range(need, word[at + 1]);
    if (is_port || is_bare) need->any = !add_port(need, word[count - 1]);
    words->was_port = (is_port || is_bare) && !need->any;
}

static void read_all(struct words *words, struct need *need);

static void read_term(struct words *words, struct need *need)
{
    memset(need, 0, sizeof(*need));
    if (words->failed) return;
    bool negated = false;
    for (; is_word(words, "not", "!"); next(words)) negated = true;
    if (is_word(words, "(", "(")) {
        if (words->depth == DEPTH_MAX) words->failed = true;
        next(words);
        words->depth++;
        read_all(words, need);
        words->depth--;
        if (!is_word(words, ")", ")")) words->failed = true;
        next(words);
        words->was_port = false;
    } else
        read_primitive(words, need);
    if (negated) need->any = true;
}

static void read_all(struct words *words, struct need *need)
{
    struct need more;
    for (read_term(words, need); !words->failed && words->word[0] && !is_word(words, ")", ")");) {
        bool both = is_word(words, "and", "&&");
        if (!ends_term(words)) words->failed = true;
        next(words);
        read_term(words, &more);
        if (both && need->any) *need = more; /* of two that both hold one is enough */
        if (both) continue;
        need->any |= more.any;
        port_set_join(&need->ports, &more.ports);
    }
}

bool filter_ports(const char *expression, struct port_set *set)
{
    struct words words = {.at = expression};
    struct need need;
    next(&words);
    if (!words.word[0]) return false;
    read_all(&words, &need);
    *set = need.ports;
    return !words.failed && !words.word[0] && !need.any;
}
