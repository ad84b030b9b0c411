#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/bpf/kernel_symbols.h"

static struct kernel_symbols *parsed(const char *text)
{
    struct kernel_symbols *symbols = NULL;
    struct err err = {{0}};

    if (kernel_symbols_parse(&symbols, text, strlen(text), &err)) fail_msg("%s", err.text);
    return symbols;
}

static void an_address_inside_a_function_has_its_name(void **state)
{
    struct kernel_symbols *symbols = parsed("ffffffff81000000 T _text\n"
                                            "ffffffff81000100 t tcp_connect\n"
                                            "ffffffff81000200 W tcp_v4_connect\n");

    (void)state;
    assert_string_equal(kernel_symbols_name(symbols, 0xffffffff81000100), "tcp_connect");
    assert_string_equal(kernel_symbols_name(symbols, 0xffffffff810001ff), "tcp_connect");
    assert_string_equal(kernel_symbols_name(symbols, 0xffffffff81000200), "tcp_v4_connect");
    assert_int_equal(kernel_symbols_count(symbols), 3);
    kernel_symbols_free(symbols);
}

static void a_function_is_found_by_its_name_unless_there_are_several(void **state)
{
    struct kernel_symbols *symbols = parsed("1000 t tw_timer_handler\n"
                                            "2000 t tw_timer_handler.cold\n"
                                            "3000 t cleanup\n"
                                            "4000 t cleanup\n"
                                            "5000 t lto.llvm.77\n"
                                            "6000 t split.isra.0\n"
                                            "7000 t split.part.0\n");

    (void)state;
    assert_int_equal(kernel_symbols_address(symbols, "tw_timer_handler"), 0x1000);
    assert_int_equal(kernel_symbols_address(symbols, "lto"), 0x5000);
    assert_int_equal(kernel_symbols_address(symbols, "cleanup"), 0);
    assert_int_equal(kernel_symbols_address(symbols, "split"), 0);
    assert_int_equal(kernel_symbols_address(symbols, "nobody"), 0);
    kernel_symbols_free(symbols);
}

/* The shortest lines that there are, from the last address to the first. */
static void a_list_that_is_not_sorted_is_sorted(void **state)
{
    struct kernel_symbols *symbols = parsed("3 t c\n2 t b\n1 t a\n"), *two = parsed("2 t b\n1 t a");

    (void)state;
    assert_int_equal(kernel_symbols_count(symbols), 3);
    for (uint64_t i = 1; i <= 3; i++) assert_int_equal(kernel_symbols_name(symbols, i)[0], 'a' + (int)i - 1);
    for (uint64_t i = 1; i <= 2; i++) assert_int_equal(kernel_symbols_name(two, i)[0], 'a' + (int)i - 1);
    kernel_symbols_free(symbols);
    kernel_symbols_free(two);
}

static void an_address_outside_has_none(void **state)
{
    struct kernel_symbols *symbols = parsed("ffffffff81000100 t tcp_connect\n");

    (void)state;
    assert_null(kernel_symbols_name(symbols, 0));
    assert_null(kernel_symbols_name(symbols, 0xffffffff810000ff));
    assert_null(kernel_symbols_name(symbols, 0xffffffffffffffff));
    kernel_symbols_free(symbols);
}

/* The last function of a region is no longer than a megabyte: a wrong name would be a wrong cause. */
static void an_address_far_behind_the_last_function_has_none(void **state)
{
    struct kernel_symbols *symbols = parsed("ffffffff81000000 t last\n");

    (void)state;
    assert_string_equal(kernel_symbols_name(symbols, 0xffffffff81100000), "last");
    assert_null(kernel_symbols_name(symbols, 0xffffffff81100001));
    kernel_symbols_free(symbols);
}

static void an_address_has_sixteen_digits_at_most_and_a_name_one_letter_at_least(void **state)
{
    struct kernel_symbols *symbols = parsed("0ffffffff81000000 t too_long\n"
                                            "ffffffff8100000g t no_digit\n"
                                            "fffffffF81000000 t large_digit\n"
                                            "12ab\tt\tno_blanks\n"
                                            "12ab t\tno_second_blank\n"
                                            "\n"
                                            "09af00 w x\n"
                                            "ffffffffffffffff t largest");

    (void)state;
    assert_int_equal(kernel_symbols_count(symbols), 2);
    assert_string_equal(kernel_symbols_name(symbols, 0x09af00), "x");
    assert_string_equal(kernel_symbols_name(symbols, UINT64_MAX), "largest");
    kernel_symbols_free(symbols);
}

static void a_name_that_is_nothing_but_an_ending_stays(void **state)
{
    struct kernel_symbols *symbols = parsed("1000 t .cold\n"
                                            "2000 t a.cold\n"
                                            "3000 t b.col\n"
                                            "4000 T __pfx\n"
                                            "5000 T $x\n");

    (void)state;
    assert_string_equal(kernel_symbols_name(symbols, 0x1000), ".cold");
    assert_string_equal(kernel_symbols_name(symbols, 0x2000), "a");
    assert_string_equal(kernel_symbols_name(symbols, 0x3000), "b.col");
    assert_string_equal(kernel_symbols_name(symbols, 0x5000), "__pfx");
    kernel_symbols_free(symbols);
}

static void two_with_endings_are_several_but_not_beside_the_whole_name(void **state)
{
    struct kernel_symbols *symbols = parsed("1000 t f.cold\n2000 t f.part.0\n3000 t f\n"
                                            "4000 t g\n5000 t g\n6000 t g.cold\n");

    (void)state;
    assert_int_equal(kernel_symbols_address(symbols, "f"), 0x3000);
    assert_int_equal(kernel_symbols_address(symbols, "g"), 0);
    kernel_symbols_free(symbols);
}

static void endings_of_compilers_are_removed_and_others_stay(void **state)
{
    struct kernel_symbols *symbols = parsed("1000 t tcp_write_xmit.isra.0\n"
                                            "2000 t ip_output.constprop.0\n"
                                            "3000 t tcp_v4_rcv.cold\n"
                                            "4000 t tcp_fin.part.0\n"
                                            "5000 t tcp_ack.part.0.isra.0\n"
                                            "6000 t init_module.odd\n");

    (void)state;
    assert_string_equal(kernel_symbols_name(symbols, 0x1000), "tcp_write_xmit");
    assert_string_equal(kernel_symbols_name(symbols, 0x2000), "ip_output");
    assert_string_equal(kernel_symbols_name(symbols, 0x3000), "tcp_v4_rcv");
    assert_string_equal(kernel_symbols_name(symbols, 0x4000), "tcp_fin");
    assert_string_equal(kernel_symbols_name(symbols, 0x5000), "tcp_ack");
    assert_string_equal(kernel_symbols_name(symbols, 0x6000), "init_module.odd");
    kernel_symbols_free(symbols);
}

static void data_and_padding_are_no_functions(void **state)
{
    struct kernel_symbols *symbols = parsed("1000 T tcp_sendmsg\n"
                                            "1100 D tcp_prot\n"
                                            "1180 T __pfx_tcp_close\n"
                                            "1200 T tcp_close\n");

    (void)state;
    assert_string_equal(kernel_symbols_name(symbols, 0x1110), "tcp_sendmsg");
    assert_string_equal(kernel_symbols_name(symbols, 0x1190), "tcp_sendmsg");
    assert_int_equal(kernel_symbols_count(symbols), 2);
    kernel_symbols_free(symbols);
}

static void modules_behind_the_kernel_are_sorted_in(void **state)
{
    struct kernel_symbols *symbols = parsed("ffffffff81000100 T tcp_connect\n"
                                            "ffffffffc0000300 t veth_xmit\t[veth]\n"
                                            "ffffffffa0000300 t bond_start_xmit\t[bonding]\n"
                                            "ffffffff81000000 T _text\n");

    (void)state;
    assert_string_equal(kernel_symbols_name(symbols, 0xffffffffc0000304), "veth_xmit");
    assert_string_equal(kernel_symbols_name(symbols, 0xffffffffa0000304), "bond_start_xmit");
    assert_string_equal(kernel_symbols_name(symbols, 0xffffffff81000004), "_text");
    kernel_symbols_free(symbols);
}

static void of_two_names_at_one_address_the_first_is_taken(void **state)
{
    struct kernel_symbols *symbols = parsed("1000 T __se_sys_connect\n1000 T __x64_sys_connect\n1100 T next\n");

    (void)state;
    assert_string_equal(kernel_symbols_name(symbols, 0x1010), "__se_sys_connect");
    kernel_symbols_free(symbols);
}

static void hidden_addresses_are_said_to_be_hidden(void **state)
{
    static const char text[] = "0000000000000000 T _text\n0000000000000000 T tcp_connect\n";
    struct kernel_symbols *symbols = NULL;
    struct err err = {{0}};

    (void)state;
    assert_int_equal(kernel_symbols_parse(&symbols, text, strlen(text), &err), -EACCES);
    assert_non_null(strstr(err.text, "kptr_restrict"));
    assert_null(symbols);
}

static void what_is_not_a_list_of_symbols_is_refused(void **state)
{
    static const char *const texts[] = {"",          "\n\n",         "hello\n",      "zzzz T name\n",
                                        "1000 T \n", "1000 T \tx\n", "1000T name\n", "1000"};
    struct err err = {{0}};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct kernel_symbols *symbols = NULL;

        assert_int_equal(kernel_symbols_parse(&symbols, texts[i], strlen(texts[i]), &err), -EINVAL);
    }
}

/* The text ends where the next byte would kill, cut at every length. */
static void no_byte_behind_the_text_is_read(void **state)
{
    static const char text[] = "ffffffff81000100 t tcp_connect.isra.0\nffffffffc0000300 t veth_xmit\t[veth]";
    size_t page = (size_t)sysconf(_SC_PAGESIZE), length = strlen(text);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
    for (size_t cut = 0; cut <= length; cut++) {
        struct kernel_symbols *symbols = NULL;
        char *at = pages + page - cut;

        memcpy(at, text, cut);
        if (kernel_symbols_parse(&symbols, at, cut, NULL) == 0) kernel_symbols_name(symbols, 0xffffffff81000100);
        kernel_symbols_free(symbols);
    }
    munmap(pages, 2 * page);
}

enum { PROGRAMS = 4000 /* more of them than are read at once */ };

/* A list with a module and many programs that lie among modules, as a file; *ret_offset shares where it is read. */
static struct kernel_symbols *taken(int *ret_offset)
{
    struct kernel_symbols *symbols = NULL;
    int fd = memfd_create("kallsyms", MFD_CLOEXEC);

    assert_true(fd >= 0);
    dprintf(fd, "ffffffff81000100 t tcp_connect\nffffffff81000200 T _etext\n");
    dprintf(fd, "ffffffffc0000300 t veth_xmit\t[veth]\nffffffffc0300000 t nft_do_chain\t[nf_tables]\n");
    for (int i = 0; i < PROGRAMS; i++)
        dprintf(fd, "%llx t bpf_prog_%04d\t[bpf]\n", 0xffffffffc0001000ULL + (unsigned)i * 0x100U, i);
    dprintf(fd, "ffffffffc0200000 t kprobe_insn_page\t[__builtin__kprobes]\n");
    *ret_offset = dup(fd);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(kernel_symbols_take(&symbols, fd, NULL), 0);
    return symbols;
}

static bool all_was_read(int offset)
{
    off_t at = lseek(offset, 0, SEEK_CUR);
    bool all = at == lseek(offset, 0, SEEK_END);

    lseek(offset, at, SEEK_SET);
    return all;
}

static void programs_are_read_when_an_address_is_not_the_kernels_own(void **state)
{
    int offset;
    struct kernel_symbols *symbols = taken(&offset);
    const char *own = kernel_symbols_name(symbols, 0xffffffff81000104);

    (void)state;
    assert_string_equal(own, "tcp_connect");
    assert_string_equal(kernel_symbols_own_name(symbols, 0xffffffff81000104), "tcp_connect");
    assert_null(kernel_symbols_own_name(symbols, 0xffffffffc0000304));
    assert_null(kernel_symbols_own_name(symbols, 0xffffffffc0001004));
    assert_int_equal(kernel_symbols_count(symbols), 4);
    assert_false(all_was_read(offset));
    /* What lies behind a module's last function may be a program's. */
    assert_string_equal(kernel_symbols_name(symbols, 0xffffffffc0001004), "bpf_prog_0000");
    assert_true(all_was_read(offset));
    assert_string_equal(kernel_symbols_name(symbols, 0xffffffffc0001000 + (PROGRAMS - 1) * 0x100), "bpf_prog_3999");
    assert_string_equal(kernel_symbols_name(symbols, 0xffffffffc0000304), "veth_xmit");
    assert_string_equal(kernel_symbols_name(symbols, 0xffffffffc0000fff), "veth_xmit");
    assert_string_equal(kernel_symbols_name(symbols, 0xffffffffc0300004), "nft_do_chain");
    assert_string_equal(kernel_symbols_name(symbols, 0xffffffffc0200004), "kprobe_insn_page");
    assert_null(kernel_symbols_name(symbols, 0xffffffffd0000000));
    assert_string_equal(own, "tcp_connect");
    close(offset);
    kernel_symbols_free(symbols);
}

static void programs_that_nobody_asks_for_are_never_read(void **state)
{
    int offset;
    struct kernel_symbols *symbols = taken(&offset);

    (void)state;
    assert_string_equal(kernel_symbols_name(symbols, 0xffffffff81000204), "_etext");
    kernel_symbols_free(symbols);
    assert_false(all_was_read(offset));
    close(offset);
}

static void a_list_without_programs_is_read_whole(void **state)
{
    static const char text[] = "ffffffff81000100 t tcp_connect\nffffffffc0000300 t veth_xmit\t[veth]\n";
    struct kernel_symbols *symbols = NULL;
    int fd = memfd_create("kallsyms", MFD_CLOEXEC), empty = memfd_create("empty", MFD_CLOEXEC);

    (void)state;
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    struct err err = {{0}};
    assert_int_equal(kernel_symbols_take(&symbols, fd, &err), 0);
    assert_string_equal(err.text, "");
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    assert_string_equal(kernel_symbols_name(symbols, 0xffffffffc0000304), "veth_xmit");
    assert_null(kernel_symbols_name(symbols, 0xffffffffd0000000));
    kernel_symbols_free(symbols);
    assert_int_equal(kernel_symbols_take(&symbols, empty, NULL), -EINVAL);
    assert_int_equal(fcntl(empty, F_GETFD), -1);
}

static void this_kernels_symbols_can_be_read(void **state)
{
    struct kernel_symbols *symbols = NULL;
    struct err err = {{0}};
    int result = kernel_symbols_load(&symbols, &err);

    (void)state;
    /* As an ordinary user the kernel hides them, and says so. */
    if (result) {
        assert_int_equal(result, -EACCES);
        return;
    }
    assert_true(kernel_symbols_count(symbols) > 1000);
    kernel_symbols_free(symbols);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_inside_a_function_has_its_name),
        cmocka_unit_test(a_function_is_found_by_its_name_unless_there_are_several),
        cmocka_unit_test(a_list_that_is_not_sorted_is_sorted),
        cmocka_unit_test(an_address_outside_has_none),
        cmocka_unit_test(an_address_far_behind_the_last_function_has_none),
        cmocka_unit_test(an_address_has_sixteen_digits_at_most_and_a_name_one_letter_at_least),
        cmocka_unit_test(a_name_that_is_nothing_but_an_ending_stays),
        cmocka_unit_test(two_with_endings_are_several_but_not_beside_the_whole_name),
        cmocka_unit_test(endings_of_compilers_are_removed_and_others_stay),
        cmocka_unit_test(data_and_padding_are_no_functions),
        cmocka_unit_test(modules_behind_the_kernel_are_sorted_in),
        cmocka_unit_test(of_two_names_at_one_address_the_first_is_taken),
        cmocka_unit_test(hidden_addresses_are_said_to_be_hidden),
        cmocka_unit_test(what_is_not_a_list_of_symbols_is_refused),
        cmocka_unit_test(no_byte_behind_the_text_is_read),
        cmocka_unit_test(programs_are_read_when_an_address_is_not_the_kernels_own),
        cmocka_unit_test(programs_that_nobody_asks_for_are_never_read),
        cmocka_unit_test(a_list_without_programs_is_read_whole),
        cmocka_unit_test(this_kernels_symbols_can_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
