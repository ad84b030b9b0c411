/* What the parts of savefile share; nobody else includes it. */
#ifndef TCPWHY_CAPTURE_STORED_SAVEFILE_OWN_H
#define TCPWHY_CAPTURE_STORED_SAVEFILE_OWN_H

#include "capture/stored/savefile.h"
#include "capture/stored/savefile_stream.h"

struct pcapng_reader;

enum { SAVEFILE_COMMENTS_MAX = 32, SAVEFILE_COMMENT_BYTES = 1024, SAVEFILE_STATISTICS_MAX = 64 };

struct savefile_pcap {
    bool swapped;         /* the other byte order than this machine's */
    bool lengths_swapped; /* wire length first: before version 2.3, and Novell's 543.0 */
    bool lengths_by_size; /* version 2.3 was written in both ways: the smaller one is what was captured */
    uint8_t record_bytes; /* of a record's header */
    uint32_t ns_a_tick;
    uint32_t captured_max; /* a record that claims more is damaged */
    uint32_t snap;
    int link_type;
    uint32_t last_s; /* seconds of the last packet: what stands behind damage should be of about that time; 0: none yet */
};

struct savefile {
    char **paths;
    size_t count, index;
    struct savefile_options options;
    void *head;         /* the copy of options.head */
    const void *memory; /* instead of a file; `memory_bytes` of them, the caller's */
    size_t memory_bytes;
    bool in_memory;
    struct savefile_stream stream;
    bool is_open; /* paths[index] is being read */
    bool ended;
    enum savefile_result (*batch)(struct savefile *, struct savefile_packet *, size_t limit, size_t *ret_count);
    uint64_t local, before; /* packets given of this file, and of the files before it */
    uint32_t interfaces_before;
    int64_t last_ns;
    bool broken_told; /* the damage of the compressed data was reported */
    struct savefile_pcap pcap;
    struct pcapng_reader *reader;
    struct savefile_damage damage;
    struct savefile_interface interface; /* what savefile_interface lends */
    struct savefile_beside beside;
    char *comments[SAVEFILE_COMMENTS_MAX];
    uint64_t dropped[SAVEFILE_STATISTICS_MAX]; /* by interface; those beyond share the last */
    uint64_t done_before, total;
    int code;
    struct err failure;
    char format[64];
};

/* Reads the file's first header, which is at the stream's `at`. 0; -EINVAL or -ENOMEM with a sentence that doesn't name the file.
 * They set file->batch and append to file->format. */
int savefile_pcap_begin(struct savefile *file, struct err *err);
int savefile_pcapng_begin(struct savefile *file, struct err *err);
bool savefile_pcap_is(const uint8_t *head, size_t length);
bool savefile_pcapng_is(const uint8_t *head, size_t length);

/* LINKTYPE_* as files hold it, to DLT_* as libpcap says it on Linux. */
int savefile_link_type(uint32_t linktype);

/* For the formats: the result when the stream has no more whole record, `what` being cut. Tells END, FAILED or DAMAGED apart. */
enum savefile_result savefile_at_end(struct savefile *file, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Fills the damage's text, number, offset; the caller adds what was skipped. Returns SAVEFILE_DAMAGED. */
enum savefile_result savefile_damaged(struct savefile *file, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The system failed: keeps code and sentence. Returns SAVEFILE_FAILED. */
enum savefile_result savefile_fail(struct savefile *file, int code, const char *tried);

#endif
