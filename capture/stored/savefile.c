#include "capture/stored/savefile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/lang.h"
#include "capture/stored/savefile_own.h"
#include "pcapng/reader.h"

#define HEAD(text) text, sizeof(text) - 1

/* What people may well hand over, and what it is. */
static const struct {
    const char *head;
    size_t length;
    const char *what;
} others[] = {
    {HEAD("\xfd\x37zXZ"), TR("it is compressed with xz: unpack it first, as in xz -dc FILE | tcpwhy read -")},
    {HEAD("BZh"), TR("it is compressed with bzip2: unpack it first, as in bzip2 -dc FILE | tcpwhy read -")},
    {HEAD("\x02\x21\x4c\x18"), TR("it is compressed in LZ4's legacy format: unpack it first, as in lz4 -dc FILE | tcpwhy read -")},
    {HEAD("PK\x03\x04"), TR("it is a zip archive: unpack it first, as in unzip -p FILE | tcpwhy read -")},
    {HEAD("snoop\0\0\0"), TR("it is a capture in Solaris' snoop format: convert it first, as in editcap FILE FILE.pcapng")},
    {HEAD("GMBU"), TR("it is a capture of Microsoft's Network Monitor: convert it first, as in editcap FILE FILE.pcapng")},
    {HEAD("RTSS"), TR("it is a capture of Microsoft's Network Monitor 1: convert it first, as in editcap FILE FILE.pcapng")},
    {HEAD("XCP\0"), TR("it is a NetXRay capture: convert it first, as in editcap FILE FILE.pcapng")},
    {HEAD("\xa1\xb2\x34\xcd"),
     TR("it is a pcap file of a modified kind that libpcap doesn't read either: try editcap FILE FILE.pcapng")},
    {HEAD("\xcd\x34\xb2\xa1"),
     TR("it is a pcap file of a modified kind that libpcap doesn't read either: try editcap FILE FILE.pcapng")},
    {HEAD("\x7f"
          "ELF"),
     TR("it is a program")},
    {HEAD("{\"type\":"),
     TR("it is event lines (JSON for other programs), and only captures and runs stored with -o FILE.events can be read")},
    {HEAD("title "), TR("it is a scenario, which tcpwhy demo plays")},
    {HEAD("# tcpwhy events"), TR("it is a stored run, and those are read alone, one at a time")},
    {HEAD("#separator"), TR("it is a log of Zeek's, and only captures can be read: pcap and pcapng, plain or compressed")},
    {HEAD("<"), TR("it is a text (XML, HTML), and only captures can be read: pcap and pcapng, plain or compressed")},
};

/* The first bytes are a text's: printable, UTF-8 included. */
static bool is_text(const uint8_t *head, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((head[i] < 0x20 && head[i] != '\n' && head[i] != '\r' && head[i] != '\t') || head[i] == 0x7f || head[i] == 0xff)
            return false;
    return length > 0;
}

static const struct {
    bool (*is)(const uint8_t *head, size_t length);
    int (*begin)(struct savefile *, struct err *);
} formats[] = {{savefile_pcap_is, savefile_pcap_begin}, {savefile_pcapng_is, savefile_pcapng_begin}};

static int begin(struct savefile *file, struct err *err)
{
    struct savefile_stream *stream = &file->stream;
    stream_need(stream, 8);
    size_t left = stream_left(stream);
    if (stream->code) return err_set_errno(err, stream->code, "%s failed", tr(stream->failed_at));
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
        if (formats[i].is(stream->at, left)) {
            int code = formats[i].begin(file, err);
            if (code == 0 && stream->codec) {
                size_t used = strlen(file->format);
                snprintf(file->format + used, sizeof(file->format) - used, ", %s", stream->codec->name);
            }
            if (stream->code) return err_set_errno(err, stream->code, "%s failed", tr(stream->failed_at));
            if (code == -EINVAL && stream->broken) return err_set(err, code, "%s", stream->text);
            return code;
        }
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (left >= others[i].length && !memcmp(stream->at, others[i].head, others[i].length))
            return err_set(err, -EINVAL, "%s", tr(others[i].what));
    if (stream->broken) return err_set(err, -EINVAL, "%s", stream->text);
    if (left == 0) return err_set(err, -EINVAL, stream->codec ? TR("there is nothing in it") : TR("it is empty"));
    const char *readable = tr("captures (pcap and pcapng, plain or compressed) can be read, and runs stored with -o FILE.events");
    if (is_text(stream->at, left)) return err_set(err, -EINVAL, "it is a text and no capture: %s", readable);
    return err_set(err, -EINVAL, "it is no capture: neither pcap nor pcapng begins like this; %s", readable);
}

static void close_source(struct savefile *file)
{
    if (!file->is_open) return;
    if (file->reader)
        file->interfaces_before += pcapng_reader_interfaces(file->reader);
    else
        file->interfaces_before += 1;
    pcapng_reader_free(file->reader);
    file->reader = NULL;
    file->before += file->local;
    file->local = 0;
    file->done_before += file->stream.raw_total ? file->stream.raw_total : file->stream.raw_done;
    stream_close(&file->stream);
    file->is_open = false;
}

/* Opens paths[index]. The sentence doesn't name it. */
static int open_source(struct savefile *file, struct err *err)
{
    const char *path = file->paths[file->index];
    int code;
    if (file->in_memory)
        code = stream_open_memory(&file->stream, file->memory, file->memory_bytes, err);
    else {
        bool is_stdin = !strcmp(path, "-"), head = file->index == 0;
        const volatile sig_atomic_t *stop = file->options.stop;
        int fd = STDIN_FILENO;
        if (!is_stdin) /* of a named pipe, this waits for its writer */
            do
                fd = file->options.open ? file->options.open(file->options.open_data, path)
                                        : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
            while (fd < 0 && errno == EINTR && !(stop && *stop));
        if (fd < 0) return err_set(err, -errno, "%s", err_errno_text(errno));
        code = stream_open(&file->stream, fd, head ? file->head : NULL, head ? file->options.head_bytes : 0, stop, err);
        file->stream.from.idle = file->options.idle;
    }
    file->local = 0;
    file->broken_told = false;
    if (!code) code = begin(file, err);
    if (code) {
        stream_close(&file->stream);
        pcapng_reader_free(file->reader);
        file->reader = NULL;
        return code;
    }
    file->is_open = true;
    return 0;
}

static int copy_paths(struct savefile *file, const char *const *paths, size_t count)
{
    file->paths = calloc(count, sizeof(*file->paths));
    if (!file->paths) return -ENOMEM;
    for (; file->count < count; file->count++) {
        file->paths[file->count] = strdup(paths[file->count]);
        if (!file->paths[file->count]) return -ENOMEM;
    }
    if (!file->options.head_bytes) return 0;
    file->head = malloc(file->options.head_bytes);
    if (!file->head) return -ENOMEM;
    memcpy(file->head, file->options.head, file->options.head_bytes);
    return 0;
}

static int open_first(struct savefile **ret_file, const struct savefile *wanted, const char *const *paths, size_t count,
                      struct err *err)
{
    *ret_file = NULL;
    struct savefile *file = malloc(sizeof(*file));
    if (!file) return err_set_errno(err, -ENOMEM, "can't read %s", paths[0]);
    *file = *wanted;
    int code = copy_paths(file, paths, count);
    if (code)
        err_set_errno(err, code, "can't read %s", paths[0]);
    else {
        code = open_source(file, err);
        if (code) err_prefix(err, "can't read %s", savefile_name(file));
    }
    if (code) {
        savefile_close(file);
        return code;
    }
    *ret_file = file;
    return 0;
}

int savefile_chain(struct savefile **ret_file, const char *const *paths, size_t count, const struct savefile_options *options,
                   struct err *err)
{
    struct savefile wanted = {0};
    if (options) wanted.options = *options;
    *ret_file = NULL;
    bool unknown = false;
    if (!count) return err_set(err, -EINVAL, "there is no file to read");
    for (size_t i = 0; i < count; i++) {
        struct stat file;
        bool is_stdin = !strcmp(paths[i], "-");
        int code = is_stdin ? fstat(STDIN_FILENO, &file) : stat(paths[i], &file);
        if (code == 0 && S_ISREG(file.st_mode)) wanted.total += (uint64_t)file.st_size;
        unknown = unknown || (code < 0 && errno == EACCES); /* it may still be opened for us */
    }
    if (unknown) wanted.total = 0;
    return open_first(ret_file, &wanted, paths, count, err);
}

int savefile_open(struct savefile **ret_file, const char *path, const struct savefile_options *options, struct err *err)
{
    return savefile_chain(ret_file, &path, 1, options, err);
}

int savefile_open_memory(struct savefile **ret_file, const char *name, const void *bytes, size_t length, struct err *err)
{
    const struct savefile wanted = {.memory = bytes, .memory_bytes = length, .in_memory = true, .total = length};
    return open_first(ret_file, &wanted, &name, 1, err);
}

void savefile_close(struct savefile *file)
{
    if (!file) return;
    close_source(file);
    for (size_t i = 0; i < file->count; i++) free(file->paths[i]);
    free(file->paths);
    free(file->head);
    for (size_t i = 0; i < file->beside.comment_count; i++) free(file->comments[i]);
    free(file);
}

enum savefile_result savefile_damaged(struct savefile *file, uint64_t offset, const char *format, ...)
{
    va_list args;
    file->damage = (struct savefile_damage){.number = file->local + 1, .offset = offset};
    va_start(args, format);
    vsnprintf(file->damage.text, sizeof(file->damage.text), tr(format), args);
    va_end(args);
    return SAVEFILE_DAMAGED;
}

enum savefile_result savefile_fail(struct savefile *file, int code, const char *tried)
{
    file->code = err_set_errno(&file->failure, code, "%s: %s failed", savefile_name(file), tr(tried));
    return SAVEFILE_FAILED;
}

enum savefile_result savefile_at_end(struct savefile *file, const char *format, ...)
{
    struct savefile_stream *stream = &file->stream;
    size_t left = stream_left(stream);
    char text[SAVEFILE_DAMAGE_BYTES];
    va_list args;
    if (stream->code) return savefile_fail(file, stream->code, stream->failed_at);
    if (stream->stopped || (stream->broken ? file->broken_told : left == 0)) return SAVEFILE_END;
    va_start(args, format);
    vsnprintf(text, sizeof(text), tr(format), args);
    va_end(args);
    file->broken_told = stream->broken;
    savefile_damaged(file, stream_offset(stream), "%s", stream->broken ? stream->text : text);
    file->damage.skipped = left;
    stream_skip(stream, left);
    return SAVEFILE_DAMAGED;
}

/* The next file of the chain. SAVEFILE_PACKET: it is open. */
static enum savefile_result next_source(struct savefile *file)
{
    struct err why;
    bool stopped = file->stream.stopped;
    if (stopped || file->index + 1 == file->count) {
        file->ended = true;
        return SAVEFILE_END;
    }
    close_source(file);
    file->index++;
    int code = open_source(file, &why);
    if (!code) return SAVEFILE_PACKET;
    if (code == -ENOMEM) return savefile_fail(file, code, TR("opening it"));
    savefile_damaged(file, 0, "can't be read: %.200s", why.text);
    file->damage.resumed = file->index + 1 < file->count;
    return SAVEFILE_DAMAGED;
}

enum savefile_result savefile_batch(struct savefile *file, struct savefile_packet *ret_packets, size_t limit, size_t *ret_count)
{
    *ret_count = 0;
    if (file->code) return SAVEFILE_FAILED;
    while (!file->ended) {
        enum savefile_result result = file->is_open ? file->batch(file, ret_packets, limit, ret_count) : SAVEFILE_END;
        if (result == SAVEFILE_END)
            result = next_source(file);
        else
            return result;
        if (result != SAVEFILE_PACKET) return result;
    }
    return SAVEFILE_END;
}

enum savefile_result savefile_next(struct savefile *file, struct savefile_packet *ret_packet)
{
    size_t count;
    return savefile_batch(file, ret_packet, 1, &count);
}

const struct savefile_damage *savefile_damage(const struct savefile *file)
{
    return &file->damage;
}

int savefile_damage_say(const struct savefile *file, struct err *ret_sentence)
{
    const struct savefile_damage *damage = &file->damage;
    const char *name = savefile_name(file);
    if (!file->is_open) return err_set(ret_sentence, 0, "%s %s", name, damage->text);
    const char *unpacked = file->stream.codec ? tr(" of the unpacked data") : "";
    if (damage->resumed)
        return err_set(
            ret_sentence, 0,
            "%s: packet %" PRIu64 ", offset %" PRIu64 "%s: %s; %" PRIu64 " bytes are left out, reading goes on at offset %" PRIu64,
            name, damage->number, damage->offset, unpacked, damage->text, damage->skipped, damage->offset + damage->skipped);
    return err_set(ret_sentence, 0, "%s: packet %" PRIu64 ", offset %" PRIu64 "%s: %s; nothing can be read behind that", name,
                   damage->number, damage->offset, unpacked, damage->text);
}

int savefile_failure(const struct savefile *file, struct err *err)
{
    if (file->code && err) *err = file->failure;
    return file->code;
}

const char *savefile_name(const struct savefile *file)
{
    const char *path = file->paths[file->index];
    return strcmp(path, "-") ? path : "standard input";
}

const char *savefile_format(const struct savefile *file)
{
    return file->format;
}

void savefile_progress(const struct savefile *file, uint64_t *ret_done, uint64_t *ret_total)
{
    *ret_done = file->done_before + file->stream.raw_done;
    *ret_total = file->total;
}

const struct savefile_beside *savefile_beside(struct savefile *file)
{
    file->beside.comments = (const char *const *)file->comments;
    return &file->beside;
}

const struct savefile_interface *savefile_interface(struct savefile *file, uint32_t interface)
{
    if (!file->is_open || interface < file->interfaces_before) return NULL;
    interface -= file->interfaces_before;
    if (!file->reader) {
        file->interface = (struct savefile_interface){.link_type = file->pcap.link_type, .snap = file->pcap.snap};
        return interface == 0 ? &file->interface : NULL;
    }
    const struct pcapng_interface *known = pcapng_reader_interface(file->reader, interface);
    if (!known) return NULL;
    file->interface = (struct savefile_interface){.link_type = savefile_link_type(known->link_type),
                                                  .snap = known->snap,
                                                  .index = interface - pcapng_reader_first(file->reader)};
    memcpy(file->interface.name, known->name, sizeof(file->interface.name));
    return &file->interface;
}
