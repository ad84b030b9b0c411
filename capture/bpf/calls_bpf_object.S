/* The kernel side of the BPF recorder, as compiled for this architecture, inside the program: nothing to install beside it. */
    .section .rodata
    .balign 8
    .global tcpwhy_bpf_object
    .global tcpwhy_bpf_object_end
tcpwhy_bpf_object:
    .incbin TCPWHY_BPF_OBJECT
tcpwhy_bpf_object_end:
    .balign 8
    .global tcpwhy_bpf_cast_object
    .global tcpwhy_bpf_cast_object_end
tcpwhy_bpf_cast_object:
    .incbin TCPWHY_BPF_CAST_OBJECT
tcpwhy_bpf_cast_object_end:
    .section .note.GNU-stack, "", %progbits
