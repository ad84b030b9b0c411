/* Stored captures: pcap and pcapng, plain or compressed, from a file, a pipe or standard input, one packet after another.
 *
 * What it is, the first bytes say, never the name. Reads in large blocks into a window of its own: no copy and no allocation on a
 * packet's path, and a file that shrinks while it is read just ends early. Memory stays the same however large the file (a window
 * that grows to the largest packet, 16 MiB at most, and what a decompressor needs). It knows nothing of what is in a packet. */
#ifndef TCPWHY_CAPTURE_STORED_SAVEFILE_H
#define TCPWHY_CAPTURE_STORED_SAVEFILE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "capture/stored/stoppable.h"

struct savefile;

enum savefile_result {
    SAVEFILE_PACKET,
    SAVEFILE_END,     /* of the file, or *stop was set; every later call says it again */
    SAVEFILE_DAMAGED, /* savefile_damage tells; call again: what comes next is the first packet behind the damage, or the end */
    SAVEFILE_FAILED   /* the system failed (a read error, no memory): savefile_failure tells; every later call says it again */
};

struct savefile_packet {
    int64_t t_ns; /* since the epoch; clamped to what base/moment.h says. Where `untimed`: that of the packet before it (0: the
                     first) */
    const uint8_t *bytes; /* `captured` of them, borrowed until the next call of savefile_next or savefile_batch */
    uint32_t captured;
    uint32_t wire;          /* its length before it was cut, as the file says it: hostile files may say less than `captured` */
    int link_type;          /* DLT_*, as libpcap's pcap_datalink says it on Linux */
    uint32_t interface;     /* counted from 0 over all sections of the file; 0 in pcap */
    uint64_t number;        /* from 1, of the packets given; a chain counts on over its files */
    uint64_t offset;        /* where its record or block begins in the (decompressed) file */
    bool untimed;           /* the file gives it no time (a pcapng Simple Packet Block) */
    bool swapped;           /* the options' byte order */
    const uint8_t *options; /* pcapng: what stands behind the packet, borrowed as `bytes` is; for savefile_comment */
    uint32_t options_bytes; /* 0: none */
};

enum { SAVEFILE_DAMAGE_BYTES = 256 };

struct savefile_damage {
    uint64_t number;                  /* the packet, in its own file, that would have come next: from 1 */
    uint64_t offset;                  /* where in the (decompressed) file the damage was met */
    uint64_t skipped;                 /* bytes from there on that are left out */
    bool resumed;                     /* reading goes on behind it; else it was the last word of the file */
    char text[SAVEFILE_DAMAGE_BYTES]; /* what is wrong, without file, packet and offset; printable */
};

struct savefile_options {
    /* Bytes that the caller has already read from the beginning of the file (of standard input, to see what it is); copied. */
    const void *head;
    size_t head_bytes;
    /* Once it is not 0 the file ends: a regular one at once, a pipe as capture/stored/stoppable.h says. NULL: nobody ever asks. */
    const volatile sig_atomic_t *stop;
    /* Called from savefile_next and savefile_batch before they wait for a pipe's writer: a moment to show what there is. It must
     * not use the file. */
    struct stoppable_idle idle;
    /* Who opens files: as open(path, O_RDONLY), with errno. NULL: open(2). */
    int (*open)(void *data, const char *path);
    void *open_data;
};

/* Opens `path` ("-": standard input) and reads as far as the file's first header. `options` may be NULL; `head` only goes with what
 * can't be read from its beginning again. 0, or: -ENOENT, -EACCES, … from the system; -EISDIR; -EINVAL: not a capture (the sentence
 * says what it is instead, where that is known), empty, or its very first header is damaged or of a version that nobody reads;
 * -ENOMEM. Sentences name the file. Release with savefile_close. */
int savefile_open(struct savefile **ret_file, const char *path, const struct savefile_options *options, struct err *err);
/* The same over `length` bytes in memory, borrowed until savefile_close; sentences call them `name` (copied). */
int savefile_open_memory(struct savefile **ret_file, const char *name, const void *bytes, size_t length, struct err *err);
void savefile_close(struct savefile *file);

/* The next packet. Blocks only for bytes that this packet needs: a pipe's packets are given as soon as they are written. */
enum savefile_result savefile_next(struct savefile *file, struct savefile_packet *ret_packet);
/* As savefile_next, and then as many of the packets behind it as lie whole in the window, `limit` (at least 1) at most: all their
 * bytes stay valid until the next call. Returns what savefile_next would return; *ret_count is 0 unless that is SAVEFILE_PACKET.
 * For a consumer that looks ahead. A pipe is not waited for on behalf of the second packet. */
enum savefile_result savefile_batch(struct savefile *file, struct savefile_packet *ret_packets, size_t limit, size_t *ret_count);

/* The packet's comments (pcapng's opt_comment), one after the other: begin with *at = 0. False: there are no more. The text is as
 * the file has it (UTF-8, if its writer was honest), `*ret_length` bytes without a NUL, borrowed as the packet's bytes are. */
bool savefile_comment(const struct savefile_packet *packet, size_t *at, const char **ret_text, size_t *ret_length);

/* Which way it went, as the file says it. */
enum savefile_way { SAVEFILE_WAY_UNKNOWN, SAVEFILE_INCOMING, SAVEFILE_OUTGOING };
enum savefile_way savefile_way(const struct savefile_packet *packet);

/* What was met besides packets, in all files read so far. */
struct savefile_beside {
    /* Blocks that were passed over: systemd journal entries, names of addresses, secrets for decryption, custom blocks, and of
     * types that nobody here knows. */
    uint64_t journal, names, secrets, custom, unknown;
    uint64_t dropped; /* packets that the capture says it lost (in its last statistics of each interface) */
    /* The comments of sections and interfaces, each with where it stood: "interface eth0: text". Bytes from outside, cut where they
     * are long. */
    const char *const *comments;
    size_t comment_count;
    uint64_t comments_left_out; /* that there were besides */
};
/* Borrowed until the next call of this function; the comments until savefile_close. */
const struct savefile_beside *savefile_beside(struct savefile *file);

/* The last damage: valid after SAVEFILE_DAMAGED until the next call. */
const struct savefile_damage *savefile_damage(const struct savefile *file);
/* "FILE: packet 7, offset 1234: TEXT" of the last damage (names what goes on behind it); returns 0, for err->text. */
int savefile_damage_say(const struct savefile *file, struct err *ret_sentence);
/* After SAVEFILE_FAILED: the negative errno, and the sentence in *err (may be NULL). 0: nothing failed. */
int savefile_failure(const struct savefile *file, struct err *err);

/* "standard input" for "-". Lives as long as the file. In a chain: the one that is being read. */
const char *savefile_name(const struct savefile *file);
/* "pcap", "pcap, nanoseconds", "pcapng" …, with the compression where there is one: "pcapng, gzip". */
const char *savefile_format(const struct savefile *file);
/* Bytes of the stored (compressed) file read so far, and how many there are in all (0: unknown, a pipe). For a progress bar; in a
 * chain over all files. */
void savefile_progress(const struct savefile *file, uint64_t *ret_done, uint64_t *ret_total);

struct savefile_interface {
    int link_type;  /* DLT_* */
    uint32_t snap;  /* bytes; 0: not limited */
    char name[32];  /* if_name, cut to fit, not escaped; "" unknown */
    uint32_t index; /* in its section, from 0 */
};
/* An interface of the section that is being read, by the number packets carry; NULL: not of this section. Borrowed until the next
 * call of this function, savefile_next or savefile_batch. */
const struct savefile_interface *savefile_interface(struct savefile *file, uint32_t interface);

/* Rotated captures: the files in the order given, read as one. Later files are opened when their turn comes; a file that can't be
 * opened or is no capture then is a damage of that file (offset 0) and the next one is read. The first has to open: codes as
 * savefile_open. `paths` are copied. The same functions read it; interface numbers go on counting over the files. */
int savefile_chain(struct savefile **ret_file, const char *const *paths, size_t count, const struct savefile_options *options,
                   struct err *err);

#endif
