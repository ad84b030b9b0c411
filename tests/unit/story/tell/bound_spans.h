/* Causes by the spans of calls and the ends of processes: to the nanosecond. With lines of the others. */
#define SPAN_OF(from, to, name, ret)                                                                                               \
    "enter t=" from " " C_THREAD "name=" name " fd=3 how=-1 level=-1 " C_SOCK "\n"                                                 \
    "exit t=" to " " C_THREAD "name=" name " fd=3 how=-1 level=-1 slept=-1 ret=" ret " " C_SOCK "\n"
#define CLOSED_THEN(ns, what) TRACE OPEN SPAN_OF("1990000", "2000000", "close", "0") AT_NS(ns, C, what)
#define CLOSE_UNENTERED(fin_ns)                                                                                                    \
    TRACE OPEN "exit t=2000000 " C_THREAD "name=close fd=3 how=-1 level=-1 slept=-1 ret=0 " C_SOCK "\n" AT_NS(fin_ns, C, C_FIN)
#define ENDED_BESIDE(ns) TRACE OPEN C_IS_KNOWN AT_NS(ns, C, C_FIN) "process t=100000000 " C_THREAD "change=exit status=0\n"
#define ACK_IN_WRITE(ns)                                                                                                           \
    TRACE OPEN PACKET(1500, C, C_DATA ROOM) AT_NS(ns, S, "flags=. seq=501 ack=106 win=600")                                        \
        SPAN_OF("2000000", "2100000", "write", "5") PACKET(2050, C, "flags=P. seq=106 ack=501 len=5" ROOM)
#define BESIDE_ANOTHER(name)                                                                                                       \
    TRACE OPEN SPAN_OF("1990000", "2000000", "write", "5") ENTER(1995, S_THREAD, name, C_SOCK, "")                                 \
        EXIT(2000, S_THREAD, name, C_SOCK, " ret=5") PACKET(1996, C, C_DATA ROOM)
#define DUP2_CLOSES(other)                                                                                                         \
    TRACE OPEN IN_CALL(C_THREAD, "dup2", "3", C_SOCK) "exit t=2000000 " C_THREAD                                                   \
                                                      "name=dup2 fd=3 how=-1 level=-1 slept=-1 ret=4 " C_SOCK other                \
                                                      "\n" PACKET(2500, C, C_FIN)
#define SHUTS(at, how, ret, who, sock)                                                                                             \
    TRACE OPEN "enter t=1500000 " who "name=shutdown fd=3 how=" how " level=-1 " sock "\n"                                         \
               "exit t=" at " " who "name=shutdown fd=3 how=" how " level=-1 slept=-1 ret=" ret " " sock "\n" WRITE_FAILS
#define WRITE_FAILS FAILS(2000, 2100, C_THREAD, "write", C_SOCK, "-32")
static const struct bound spans_bounds[] = {
    /* What close() left to its return, within 5 ms. */
    {"<- call/interval/close by=@7", CLOSED_THEN("7000000", C_FIN), CLOSED_THEN("7000001", C_FIN)},
    {"<- call/interval/close by=@7", CLOSED_THEN("1990000", C_FIN), CLOSED_THEN("1989999", C_FIN)},
    {"<- call/interval/close by=@", CLOSE_UNENTERED("2000000"), CLOSE_UNENTERED("1999999")}, /* where its beginning was not seen */
    /* An abort acknowledges, and has a number of its own: else it answers. */
    {"<- call/interval/close by=@7", CLOSED_THEN("2500000", "flags=R. seq=101 ack=501"), CLOSED_THEN("2500000", "flags=R seq=101")},
    {"<- call/interval/close by=@7", CLOSED_THEN("2500000", "flags=R. seq=101 ack=501"),
     CLOSED_THEN("2500000", "flags=R. seq=0 ack=501")},
    {"<- unknown/none an abort", /* a descriptor closes once */
     CLOSED_THEN("2500000", C_FIN) PACKET(2600, C, "flags=R. seq=102 ack=501"), CLOSED_THEN("2500000", "flags=R. seq=101 ack=501")},
    {"<- call/interval/dup2 by=@7", DUP2_CLOSES(OTHER_IS_S), DUP2_CLOSES("")},
    /* The end of a process closes what it had, within 50 ms before and after. */
    {"<- exit/rule/status 0", ENDED_BESIDE("50000000"), ENDED_BESIDE("49999999")},
    {"<- exit/rule/status 0", ENDED_BESIDE("150000000"), ENDED_BESIDE("150000001")},
    /* An ACK that came while the call ran may have let go what it queued. */
    {"<- call/interval/write by=@9", ACK_IN_WRITE("2000000"), ACK_IN_WRITE("2000001")},
    {"<- unknown/none several calls were under way", BESIDE_ANOTHER("write"), BESIDE_ANOTHER("read")},
    {"<- call/interval/write by=@7", BESIDE_ANOTHER("read"), BESIDE_ANOTHER("write")},
    /* EPIPE: this end's own shutdown() for writing that had returned by then, or a RST that had come. */
    {"found error epipe-after-shutdown", SHUTS("2100000", "1", "0", C_THREAD, C_SOCK),
     SHUTS("2100001", "1", "0", C_THREAD, C_SOCK)},
    {"found error epipe-after-shutdown", SHUTS("1510000", "2", "0", C_THREAD, C_SOCK),
     SHUTS("1510000", "0", "0", C_THREAD, C_SOCK)},
    {"found error epipe-after-shutdown", SHUTS("1510000", "1", "0", C_THREAD, C_SOCK),
     SHUTS("1510000", "1", "-107", C_THREAD, C_SOCK)},
    {"found error epipe-after-shutdown", SHUTS("1510000", "1", "0", C_THREAD, C_SOCK),
     SHUTS("1510000", "1", "0", S_THREAD, S_SOCK)},
    {"found error epipe-after-rst", TRACE OPEN AT_NS("2100000", S, "flags=R seq=501") WRITE_FAILS,
     TRACE OPEN AT_NS("2100001", S, "flags=R seq=501") WRITE_FAILS},
    {"found error epipe-after-rst",
     TRACE OPEN PACKET(1500, C, "flags=R seq=101") FAILS(2000, 2100, S_THREAD, "write", S_SOCK, "-32"),
     TRACE OPEN PACKET(1500, S, "flags=R seq=501") FAILS(2000, 2100, S_THREAD, "write", S_SOCK, "-32")},
};
