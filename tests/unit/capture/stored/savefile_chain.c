/* What stands beside the packets, several files as one, batches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <lz4frame.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "capture/stored/savefile.h"
#include "savefile_own.h"
#include "support/captures.h"
#include "support/guard.h"

static void put_option(struct buf *buf, uint16_t code, const char *value, size_t length, bool big)
{
    put_u16(buf, code, big);
    put_u16(buf, (uint16_t)length, big);
    if (buf_append(buf, value, length)) abort();
    put_fill(buf, 0, -length % 4);
}

/* A section, an interface and a packet of one byte, each with comments, and statistics that count drops. */
static struct buf commented(bool big)
{
    struct buf bytes = buf_new(LIMIT), content = buf_new(LIMIT);
    put_u32(&content, 0x1a2b3c4d, big);
    put_u16(&content, 1, big);
    put_u16(&content, 0, big);
    put_fill(&content, 0xff, 8);
    put_option(&content, 1, "whole", 5, big);
    put_block(&bytes, 0x0a0d0d0a, content.data, content.length, big);
    buf_clear(&content);
    put_option(&content, 1, "unnamed", 7, big);
    put_interface(&bytes, 1, 0, content.data, content.length, big);
    put_block(&bytes, 9, "MESSAGE=hi\n\0", 12, big);
    put_block(&bytes, 0x777, "", 0, big);
    buf_clear(&content);
    for (int i = 0; i < 3; i++) put_u32(&content, 0, big);
    put_u32(&content, 1, big);
    put_u32(&content, 1, big);
    put_fill(&content, 0x55, 1);
    put_fill(&content, 0, 3);
    put_option(&content, 1, "first", 5, big);
    put_option(&content, 2, "\0\0\0\1", 4, big);
    put_option(&content, 1, "cut\0off", 7, big);
    put_block(&bytes, 6, content.data, content.length, big);
    for (char drops = 2; drops < 4; drops++) { /* the count goes on */
        buf_clear(&content);
        for (int i = 0; i < 3; i++) put_u32(&content, 0, big);
        const char little[8] = {drops}, great[8] = {[7] = drops};
        put_option(&content, 5, big ? great : little, 8, big);
        put_option(&content, 7, big ? great : little, 8, big);
        put_block(&bytes, 5, content.data, content.length, big);
    }
    buf_free(&content);
    return bytes;
}

void what_stands_beside_the_packets_is_kept_and_counted(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct buf bytes = commented(big);
        struct guard guard = guard_new(bytes.data, bytes.length);
        struct savefile *file;
        struct savefile_packet packet;
        const char *text;
        size_t at = 0, length;
        assert_int_equal(savefile_open_memory(&file, "memory", guard.bytes, guard.length, NULL), 0);
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
        assert_true(savefile_comment(&packet, &at, &text, &length));
        assert_int_equal(length, 5);
        assert_memory_equal(text, "first", 5);
        assert_true(savefile_comment(&packet, &at, &text, &length));
        assert_int_equal(length, 3);
        assert_false(savefile_comment(&packet, &at, &text, &length));
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_END);
        const struct savefile_beside *beside = savefile_beside(file);
        assert_int_equal(beside->journal, 1);
        assert_int_equal(beside->unknown, 1);
        assert_int_equal(beside->names + beside->secrets + beside->custom, 0);
        assert_int_equal(beside->dropped, 6);
        assert_int_equal(beside->comment_count, 2);
        assert_string_equal(beside->comments[0], "the capture: whole");
        assert_string_equal(beside->comments[1], "interface 0: unnamed");
        savefile_close(file);
        guard_free(&guard);
        buf_free(&bytes);
    }
}

void of_many_comments_of_a_capture_the_first_are_kept(void **state)
{
    (void)state;
    struct buf bytes = buf_new(8 << 20), options = buf_new(LIMIT), longest = buf_new(LIMIT);
    put_fill(&longest, 'x', 65535);
    put_option(&options, 1, longest.data, longest.length, false);
    put_section(&bytes, false);
    for (int i = 0; i < 40; i++) put_interface(&bytes, 1, 0, options.data, options.length, false);
    struct savefile *file;
    struct savefile_packet packet;
    assert_int_equal(savefile_open_memory(&file, "memory", bytes.data, bytes.length, NULL), 0);
    assert_int_equal(savefile_next(file, &packet), SAVEFILE_END);
    assert_int_equal(savefile_beside(file)->comment_count, 32);
    assert_int_equal(savefile_beside(file)->comments_left_out, 8);
    assert_true(strlen(savefile_beside(file)->comments[0]) < 1100);
    savefile_close(file);
    buf_free(&bytes);
    buf_free(&options);
    buf_free(&longest);
}

void standard_input_can_have_been_begun(void **state)
{
    (void)state;
    for (int packed = 0; packed < 2; packed++) {
        struct buf plain = two_packets(NANO, false),
                   bytes = packed ? pack_gzip(plain.data, plain.length) : two_packets(NANO, false);
        int fds[2], before = dup(STDIN_FILENO);
        struct savefile *file;
        struct savefile_packet packet;
        const struct savefile_options options = {.head = bytes.data, .head_bytes = 9};
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        dup2(fds[0], STDIN_FILENO);
        close(fds[0]);
        assert_int_equal(write(fds[1], bytes.data + 9, bytes.length - 9), bytes.length - 9);
        close(fds[1]);
        assert_int_equal(savefile_open(&file, "-", &options, NULL), 0);
        assert_string_equal(savefile_name(file), "standard input");
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
        assert_int_equal(packet.t_ns, (int64_t)NOW * SECOND + 123456);
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
        assert_int_equal(savefile_next(file, &packet), SAVEFILE_END);
        savefile_close(file);
        assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
        if (before >= 0) {
            dup2(before, STDIN_FILENO);
            close(before);
        }
        buf_free(&bytes);
        buf_free(&plain);
    }
}

/* Where a block too large to be held ends is looked at in a file that is read from its beginning alone. */
void what_is_not_a_file_from_its_beginning_is_not_looked_ahead_in(void **state)
{
    (void)state;
    static const uint8_t junk[4096];
    static const struct {
        bool is_pipe;
        size_t before, head; /* bytes before the capture in the file; bytes of it that stand there no more */
        const char *expected;
    } cases[] = {
        {false, 0, 0, "PPE"}, {false, sizeof(junk), 0, "PPE"}, {false, 0, 8, "PPE"}, {true, 0, 0, "PPE"}, {true, 0, 8, "PPE"}};
    struct buf bytes = packets_ng(1, false);
    const uint32_t length = 17 << 20;
    put_u32(&bytes, 0xbad, false);
    put_u32(&bytes, length, false);
    put_fill(&bytes, 0, length - 12);
    put_u32(&bytes, length, false);
    put_packet(&bytes, 0, 1, 4, 4, 9, false);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct savefile_options options = {.head = bytes.data, .head_bytes = cases[i].head};
        const char *from = bytes.data + cases[i].head;
        size_t count = bytes.length - cases[i].head;
        char text[16];
        struct savefile *file;
        int fds[2], before = dup(STDIN_FILENO);
        pid_t writer = -1;
        if (cases[i].is_pipe) {
            assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
            writer = fork();
            assert_true(writer >= 0);
            if (writer == 0) {
                for (ssize_t piece; count > 0 && (piece = write(fds[1], from, count)) > 0; from += piece) count -= (size_t)piece;
                _exit(count > 0);
            }
            close(fds[1]);
        } else {
            fds[0] = memfd_create("capture", MFD_CLOEXEC);
            assert_int_equal(write(fds[0], junk, cases[i].before), cases[i].before);
            assert_int_equal(write(fds[0], from, count), count);
            assert_int_equal(lseek(fds[0], (off_t)cases[i].before, SEEK_SET), cases[i].before);
        }
        dup2(fds[0], STDIN_FILENO);
        close(fds[0]);
        assert_int_equal(savefile_open(&file, "-", &options, NULL), 0);
        if (strcmp(outline(file, text, sizeof(text)), cases[i].expected) != 0) fail_msg("case %zu: %s", i, text);
        if (before >= 0) {
            dup2(before, STDIN_FILENO);
            close(before);
        }
        if (writer >= 0) waitpid(writer, NULL, 0);
    }
    buf_free(&bytes);
}

void a_file_that_shrinks_while_it_is_read_ends_early(void **state)
{
    (void)state;
    struct buf bytes = packets_ng(40000, false);
    char path[32];
    struct savefile *file;
    struct savefile_packet packet;
    uint64_t given = 0;
    enum savefile_result result;
    int fd = file_of(bytes.data, bytes.length, path);
    assert_int_equal(savefile_open(&file, path, NULL, NULL), 0);
    assert_int_equal(savefile_next(file, &packet), SAVEFILE_PACKET);
    assert_int_equal(ftruncate(fd, 1 << 20), 0);
    while ((result = savefile_next(file, &packet)) == SAVEFILE_PACKET) given++;
    assert_int_equal(result, SAVEFILE_DAMAGED);
    assert_int_equal(savefile_next(file, &packet), SAVEFILE_END);
    assert_true(given > 5000 && given < 20000);
    savefile_close(file);
    close(fd);
    buf_free(&bytes);
}

void a_batch_gives_the_same_packets_all_at_once(void **state)
{
    (void)state;
    for (int ng = 0; ng < 2; ng++) {
        struct buf bytes = ng ? packets_ng(30000, true) : buf_new(LIMIT);
        if (!ng) put_pcap(&bytes, MICRO, 2, 4, 1, true);
        for (size_t i = 0; i < 30000 && !ng; i++) put_record(&bytes, NOW, 0, 60, 60, (uint8_t)i, true);
        put_fill(&bytes, 0xee, 20); /* and damage at the end */
        struct savefile *file = open_bytes(&bytes);
        struct savefile_packet packets[32];
        size_t count, given = 0;
        enum savefile_result result;
        while ((result = savefile_batch(file, packets, 32, &count)) == SAVEFILE_PACKET) {
            assert_in_range(count, 1, 32);
            for (size_t i = 0; i < count; i++) {
                assert_int_equal(packets[i].bytes[59], (uint8_t)given);
                assert_int_equal(packets[i].number, ++given);
            }
        }
        assert_int_equal(count, 0);
        assert_int_equal(given, 30000);
        assert_int_equal(result, SAVEFILE_DAMAGED);
        assert_int_equal(savefile_batch(file, packets, 32, &count), SAVEFILE_END);
        savefile_close(file);
        buf_free(&bytes);
    }
}

void a_batch_reads_no_block_twice(void **state)
{
    (void)state;
    struct buf bytes = packets_ng(2, false);
    struct savefile_packet packets[8];
    size_t count;
    put_interface(&bytes, 12, 0, "\t\0\377\377", 4, false); /* an option that ends behind it */
    put_interface(&bytes, 113, 0, NULL, 0, false);
    put_packet(&bytes, 2, 1, 4, 4, 0, false);
    struct savefile *file = open_bytes(&bytes);
    assert_int_equal(savefile_batch(file, packets, 8, &count), SAVEFILE_PACKET);
    assert_int_equal(count, 2);
    assert_int_equal(savefile_batch(file, packets, 8, &count), SAVEFILE_DAMAGED);
    assert_int_equal(savefile_batch(file, packets, 8, &count), SAVEFILE_PACKET);
    assert_int_equal(packets[0].link_type, 113);
    assert_int_equal(packets[0].interface, 2);
    savefile_close(file);
    buf_free(&bytes);
}

void a_chain_reads_its_files_as_one(void **state)
{
    (void)state;
    struct buf first = two_packets(MICRO, false), second = packets_ng(2, true), third = two_packets(NANO, true);
    char paths[3][32];
    int fds[3] = {file_of(first.data, first.length, paths[0]), file_of(second.data, second.length, paths[1]),
                  file_of(third.data, third.length, paths[2])};
    const char *const names[] = {paths[0], "/nonexistent", paths[1], "/", paths[2]};
    struct savefile *file;
    struct savefile_packet packets[8];
    struct err err;
    size_t count;
    assert_int_equal(savefile_chain(&file, names, 5, NULL, &err), 0);
    assert_int_equal(savefile_batch(file, packets, 8, &count), SAVEFILE_PACKET);
    assert_int_equal(count, 2);
    assert_string_equal(savefile_name(file), paths[0]);
    assert_int_equal(savefile_batch(file, packets, 8, &count), SAVEFILE_DAMAGED);
    savefile_damage_say(file, &err);
    assert_string_equal(err.text, "/nonexistent can't be read: No such file or directory");
    assert_int_equal(savefile_batch(file, packets, 8, &count), SAVEFILE_PACKET);
    assert_int_equal(count, 2);
    assert_int_equal(packets[0].number, 3);
    assert_int_equal(packets[0].interface, 1);
    assert_int_equal(savefile_interface(file, 1)->link_type, DLT_EN10MB);
    assert_null(savefile_interface(file, 0));
    assert_string_equal(savefile_name(file), paths[1]);
    assert_int_equal(savefile_batch(file, packets, 8, &count), SAVEFILE_DAMAGED);
    savefile_damage_say(file, &err);
    assert_string_equal(err.text, "/ can't be read: it is a directory");
    assert_int_equal(savefile_next(file, packets), SAVEFILE_PACKET);
    assert_int_equal(packets[0].number, 5);
    assert_int_equal(packets[0].interface, 2);
    assert_int_equal(packets[0].t_ns, (int64_t)NOW * SECOND + 123456);
    assert_int_equal(savefile_next(file, packets), SAVEFILE_PACKET);
    assert_int_equal(savefile_next(file, packets), SAVEFILE_END);
    uint64_t done, total;
    savefile_progress(file, &done, &total);
    assert_int_equal(total, first.length + second.length + third.length);
    assert_int_equal(done, total);
    savefile_close(file);
    assert_int_equal(savefile_chain(&file, names + 1, 2, NULL, &err), -ENOENT); /* the first has to open */
    for (int i = 0; i < 3; i++) close(fds[i]);
    buf_free(&first);
    buf_free(&second);
    buf_free(&third);
}
