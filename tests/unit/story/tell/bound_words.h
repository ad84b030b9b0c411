/* Times in sentences: three digits, in the unit that people use. The silence of the peer is what is measured. */
#define SILENT(t) TRACE OPEN PROBE(900000) "packet t=" t " vantage=1 number=1 " C "flags=. seq=100 ack=501\n"
#define ANSWERS(t)                                                                                                                 \
    TRACE OPEN PACKET(2000, C, C_DATA ROOM) "packet t=" t " vantage=1 number=1 " S "flags=P. seq=501 ack=106 len=5 win=512\n"
#define BLOCKED(ns) TRACE OPEN LINGER_0 SLEEPS(1990, 9000, C_THREAD, "close", C_SOCK, ns)
/* shutdown() of both, and data behind it: "…, 2.5 ms after". */
static const struct bound words_bounds[] = {
    {"for 1.00 s, and it answered", SILENT("1000510000"), SILENT("1000509999")},
    {"for 999 ms, and it answered", SILENT("1000509999"), SILENT("1000510000")},
    {"for 999 ms, and it answered", SILENT("999510000"), SILENT("999509999")},
};
