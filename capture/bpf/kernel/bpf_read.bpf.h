/* Reading the kernel's memory at an address that is but a number. With TCPWHY_CAST by loads, as the kernel itself reads (Linux 6.2,
 * bpf_rdonly_cast): what is not there reads as 0. Without, by a helper's call for each, which costs ten times as much. */
#ifndef TCPWHY_CAPTURE_BPF_BPF_READ_BPF_H
#define TCPWHY_CAPTURE_BPF_BPF_READ_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf_kernel.h"

/* READ(pointer, field, …): as BPF_CORE_READ, of what ends in a number. A pointer that was loaded stays one to the verifier, which
 * neither computes with it nor lets a function return it: those that are wanted for themselves take BPF_CORE_READ. READ_GIVEN: of a
 * pointer that the kernel itself gave, from which every kernel lets programs load; but where casts are to be had they cost less,
 * for at each pointer that is followed from such a one the verifier looks through the names of all the kernel's types. */
#ifdef TCPWHY_CAST
extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym;
#define KERNEL(pointer) ((typeof(pointer))bpf_rdonly_cast((pointer), bpf_core_type_id_kernel(typeof(*(pointer)))))
/* A load that the compiler must not make one with a load from elsewhere (the verifier wants each to be from one kind of memory). */
#define LOADED(type, value)                                                                                                        \
    ({                                                                                                                             \
        __u64 loaded_value = (__u64)(value);                                                                                       \
        asm volatile("" : "+r"(loaded_value));                                                                                     \
        (type) loaded_value;                                                                                                       \
    })
#define READ(pointer, ...) LOADED(typeof(___arrow((pointer), __VA_ARGS__)), ___arrow(KERNEL(pointer), __VA_ARGS__))
#define READ_GIVEN READ
#else
#define READ(pointer, ...) BPF_CORE_READ(pointer, __VA_ARGS__)
#define READ_GIVEN(pointer, ...) ___arrow((pointer), __VA_ARGS__)
#endif

/* Eight bytes at an address, as a number, whatever they are; 0: there is nothing. */
static __always_inline __u64 word_at(__u64 address)
{
#ifdef TCPWHY_CAST
    /* A type that begins with a number as long as a word. */
    return (__u64)READ((const struct timespec64 *)address, tv_sec);
#else
    __u64 value = 0;

    bpf_probe_read_kernel(&value, sizeof(value), (void *)address);
    return value;
#endif
}

/* A field that is a pointer, as a number. */
#define READ_POINTER(pointer, field) word_at((__u64)(pointer) + bpf_core_field_offset(typeof(*(pointer)), field))

#endif
