/* Where packets are captured nowhere: what the calls got is all that is known. */
#define NO_VANTAGE "# tcpwhy events 1\ntrace t=1 recorder=ptrace ports=3333\n"
#define CONNECTED ENTER(1000, C_THREAD, "connect", C_SOCK, "") EXIT(1010, C_THREAD, "connect", C_SOCK, " ret=0")
#define READS(t, ret) ENTER(t, C_THREAD, "read", C_SOCK, "") EXIT(t, C_THREAD, "read", C_SOCK, " ret=" ret)
#define WRITES(t, ret) ENTER(t, C_THREAD, "write", C_SOCK, "") EXIT(t, C_THREAD, "write", C_SOCK, " ret=" ret)
#define CLOSES(t, more) ENTER(t, C_THREAD, "close", C_SOCK more, "") EXIT(t, C_THREAD, "close", C_SOCK more, " ret=0")
#define ACCEPTED                                                                                                                   \
    "enter t=1000000 " S_THREAD "name=accept fd=3 how=-1 level=-1 " LISTENER "\n"                                                  \
    "exit t=1010000 " S_THREAD "name=accept fd=3 how=-1 level=-1 slept=-1 ret=8 " LISTENER                                         \
    " other.cookie=8 other.proto=tcp other.local=127.0.0.1:3333 other.remote=127.0.0.1:40000\n"
#define S_READS(t, ret) ENTER(t, S_THREAD, "read", S_SOCK, "") EXIT(t, S_THREAD, "read", S_SOCK, " ret=" ret)
#define S_WRITES(t, ret) ENTER(t, S_THREAD, "write", S_SOCK, "") EXIT(t, S_THREAD, "write", S_SOCK, " ret=" ret)
/* connect() that returned this, and close() when the kernel had given the socket up. */
#define ATTEMPT(ret) ENTER(1000, C_THREAD, "connect", C_SOCK, "") EXIT(1010, C_THREAD, "connect", C_SOCK, " ret=" ret)
#define DOWN CLOSES(3000, " sock.state=CLOSE")
static const struct bound calls_alone_tell_how_it_ended_bounds[] = {
    {"calls refused", NO_VANTAGE ATTEMPT("-111"), NO_VANTAGE CONNECTED},
    {"calls timed-out", NO_VANTAGE CONNECTED READS(2000, "-110"), NO_VANTAGE CONNECTED READS(2000, "-11")},
    {"calls reset", NO_VANTAGE CONNECTED READS(2000, "-104"), NO_VANTAGE CONNECTED READS(2000, "-107")},
    {"calls reset", NO_VANTAGE CONNECTED WRITES(2000, "-32"), NO_VANTAGE CONNECTED WRITES(2000, "-11")},
    {"calls reset", /* a close() after it changes nothing */
     NO_VANTAGE CONNECTED WRITES(2000, "-32") CLOSES(3000, ""), NO_VANTAGE CONNECTED WRITES(2000, "5") CLOSES(3000, "")},
    {"calls closed", NO_VANTAGE CONNECTED CLOSES(3000, ""), NO_VANTAGE CONNECTED READS(2000, "5")},
    {"calls closed", NO_VANTAGE CONNECTED CLOSES(3000, ""), NO_VANTAGE CONNECTED ENTER(3000, C_THREAD, "close", C_SOCK, "")},
    /* Nobody asked why it failed, and the kernel had given the socket up by the close(). */
    {"calls refused", NO_VANTAGE ATTEMPT("-115") DOWN, NO_VANTAGE ATTEMPT("-115") CLOSES(3000, " sock.state=ESTABLISHED")},
    {"calls refused", /* what was set or asked before is no sign of life, what was read is */
     NO_VANTAGE ATTEMPT("-115") OPTION(1500, C_THREAD, C_SOCK, "6", "1", "1") DOWN,
     NO_VANTAGE ATTEMPT("-115") READS(1500, "0") DOWN},
    {"calls refused", /* a call that failed is none either */
     NO_VANTAGE ATTEMPT("-115") READS(1500, "-11") DOWN, NO_VANTAGE CONNECTED DOWN},
    /* No way there, no port to come from: nobody refused. What is only under way, or was waited for no longer, tells nothing. */
    {"calls half-open", NO_VANTAGE ATTEMPT("-113") DOWN, NO_VANTAGE ATTEMPT("-111") DOWN},
    {"calls half-open", NO_VANTAGE ATTEMPT("-113") DOWN, NO_VANTAGE ATTEMPT("-115") DOWN},
    {"calls half-open", NO_VANTAGE ATTEMPT("-101") DOWN, NO_VANTAGE ATTEMPT("-4") DOWN},
    {"calls half-open", NO_VANTAGE ATTEMPT("-99") DOWN, NO_VANTAGE ATTEMPT("-114") DOWN},
    {"calls half-open", NO_VANTAGE ATTEMPT("-13") DOWN, NO_VANTAGE ATTEMPT("-106") DOWN},
    {"calls half-open", /* the SYN had not been answered when it was closed */
     NO_VANTAGE ATTEMPT("-115") CLOSES(3000, " sock.state=SYN_SENT"), NO_VANTAGE ATTEMPT("-115") DOWN},
    {"calls half-open", NO_VANTAGE ATTEMPT("-22") DOWN, NO_VANTAGE ATTEMPT("-512") DOWN}, /* ERESTARTSYS: it goes on */
    {"calls closed",                                                                      /* what came about is no attempt */
     NO_VANTAGE CONNECTED CLOSES(3000, " sock.state=SYN_SENT"), NO_VANTAGE ATTEMPT("-115") CLOSES(3000, " sock.state=SYN_SENT")},
    /* Data, by what was handed over: each byte once. */
    {"client[10] ? cookie=7 bytes=5 |", NO_VANTAGE CONNECTED WRITES(2000, "5"), NO_VANTAGE CONNECTED READS(2000, "5")},
    {"[0] ? bytes=7", NO_VANTAGE CONNECTED READS(2000, "7"), NO_VANTAGE CONNECTED WRITES(2000, "7")},
    {"client[10] ? cookie=7 bytes=1 |", NO_VANTAGE CONNECTED WRITES(2000, "1"), NO_VANTAGE CONNECTED WRITES(2000, "0")},
    {"client[10] ? cookie=7 |", NO_VANTAGE CONNECTED WRITES(2000, "-11"), NO_VANTAGE CONNECTED WRITES(2000, "1")},
    {"server[20] ? cookie=8 bytes=6", /* that end's own word counts, not what this one read of it */
     NO_VANTAGE CONNECTED ACCEPTED S_WRITES(2000, "6") READS(2100, "4"), NO_VANTAGE CONNECTED ACCEPTED S_READS(2000, "6")},
    {"client[10] ? cookie=7 bytes=5 |", NO_VANTAGE CONNECTED ACCEPTED WRITES(2000, "5") S_READS(2100, "3"),
     NO_VANTAGE CONNECTED ACCEPTED S_READS(2100, "5")},
    /* Open before anybody looked, so neither connect() nor accept() was seen: who is the client, the known port tells. With bpf the
     * kernel's marks are still to come, and the connection with them. */
    {"client[10] ? cookie=7 |", NO_VANTAGE CLOSES(3000, ""),
     "# tcpwhy events 1\ntrace t=1 recorder=bpf ports=3333\n" CLOSES(3000, "")},
    {"client[10] ? cookie=7 |", "# tcpwhy events 1\ntrace t=1 recorder=ptrace\n" CLOSES(3000, ""), NO_VANTAGE ACCEPTED},
    /* Of packets there are some: their numbers count, not the calls. */
    {"client[10] ESTABLISHED cookie=7 isn=100 |", TRACE HANDSHAKE CALL(900, 1030, C_THREAD, "connect", C_SOCK) WRITES(2000, "5"),
     TRACE HANDSHAKE CALL(900, 1030, C_THREAD, "connect", C_SOCK) WRITES(2000, "5") PACKET(2001, C, C_DATA)},
};
