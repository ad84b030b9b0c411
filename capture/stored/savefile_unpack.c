#include "capture/stored/savefile_unpack.h"

#include <lz4frame.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/lang.h"

/* Libraries' own words reach a person: they are constant strings of printable ASCII. Those of zlib that damage brings about are
 * known here. */
static const char *translated(const char *why)
{
    static const char *const known[] = {
        TR("incorrect header check"),
        TR("unknown compression method"),
        TR("unknown header flags set"),
        TR("header crc mismatch"),
        TR("invalid block type"),
        TR("invalid stored block lengths"),
        TR("too many length or distance symbols"),
        TR("invalid code lengths set"),
        TR("invalid bit length repeat"),
        TR("invalid code -- missing end-of-block"),
        TR("invalid literal/lengths set"),
        TR("invalid literal/length code"),
        TR("invalid distances set"),
        TR("invalid distance code"),
        TR("invalid distance too far back"),
        TR("incorrect data check"),
        TR("incorrect length check"),
        TR("it needs a dictionary"),
    };
    for (size_t i = 0; why && i < sizeof(known) / sizeof(known[0]); i++)
        if (!strcmp(why, known[i])) return tr(known[i]);
    return why;
}

static enum unpack_result broken(char text[UNPACK_TEXT_BYTES], const char *why)
{
    snprintf(text, UNPACK_TEXT_BYTES, "%s", why && *why ? translated(why) : tr("no sense can be made of it"));
    return UNPACK_BROKEN;
}

/* zlib counts in unsigned int. */
static uInt at_most(size_t length)
{
    return length > 1U << 30 ? 1U << 30 : (uInt)length;
}

struct gzip {
    z_stream stream;
    bool between; /* a member is complete, the next has not begun */
};

static void *gzip_open(void)
{
    struct gzip *gzip = calloc(1, sizeof(*gzip));
    if (gzip && inflateInit2(&gzip->stream, 15 + 16) != Z_OK) {
        free(gzip);
        return NULL;
    }
    return gzip;
}

static enum unpack_result gzip_step(void *state, const uint8_t *in, size_t in_bytes, size_t *used, uint8_t *out, size_t out_bytes,
                                    size_t *made, char text[UNPACK_TEXT_BYTES])
{
    struct gzip *gzip = state;
    size_t padding = 0;
    *used = *made = 0;
    /* Tapes and block devices pad with zeroes; gzip(1) takes them for the end as well. */
    if (gzip->between)
        while (padding < in_bytes && in[padding] == 0) padding++;
    *used = padding;
    if (gzip->between && padding == in_bytes) return UNPACK_BETWEEN;
    if (gzip->between && inflateReset(&gzip->stream) != Z_OK) return UNPACK_NO_MEMORY;
    gzip->between = false;
    gzip->stream.next_in = (z_const Bytef *)(in + padding);
    gzip->stream.avail_in = at_most(in_bytes - padding);
    gzip->stream.next_out = out;
    gzip->stream.avail_out = at_most(out_bytes);
    int code = inflate(&gzip->stream, Z_NO_FLUSH);
    *used = (size_t)(gzip->stream.next_in - in);
    *made = (size_t)(gzip->stream.next_out - out);
    if (code == Z_STREAM_END) {
        gzip->between = true;
        return UNPACK_BETWEEN;
    }
    if (code == Z_MEM_ERROR) return UNPACK_NO_MEMORY;
    if (code == Z_NEED_DICT) return broken(text, "it needs a dictionary");
    /* Z_BUF_ERROR: there was nothing to do. */
    return code == Z_OK || code == Z_BUF_ERROR ? UNPACK_INSIDE : broken(text, gzip->stream.msg);
}

static void gzip_close(void *state)
{
    struct gzip *gzip = state;
    inflateEnd(&gzip->stream);
    free(gzip);
}

static void *zstd_open(void)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    /* The library's own default, said here because the header promises it. */
    if (stream && ZSTD_isError(ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, 27))) {
        ZSTD_freeDStream(stream);
        return NULL;
    }
    return stream;
}

static enum unpack_result zstd_step(void *state, const uint8_t *in, size_t in_bytes, size_t *used, uint8_t *out, size_t out_bytes,
                                    size_t *made, char text[UNPACK_TEXT_BYTES])
{
    ZSTD_inBuffer input = {in, in_bytes, 0};
    ZSTD_outBuffer output = {out, out_bytes, 0};
    size_t code = ZSTD_decompressStream(state, &output, &input);
    *used = input.pos;
    *made = output.pos;
    if (!ZSTD_isError(code)) return code == 0 ? UNPACK_BETWEEN : UNPACK_INSIDE;
    return ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation ? UNPACK_NO_MEMORY : broken(text, ZSTD_getErrorName(code));
}

static void zstd_close(void *state)
{
    ZSTD_freeDStream(state);
}

static void *lz4_open(void)
{
    LZ4F_dctx *context = NULL;
    return LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) ? NULL : context;
}

static enum unpack_result lz4_step(void *state, const uint8_t *in, size_t in_bytes, size_t *used, uint8_t *out, size_t out_bytes,
                                   size_t *made, char text[UNPACK_TEXT_BYTES])
{
    *used = in_bytes;
    *made = out_bytes;
    size_t code = LZ4F_decompress(state, out, made, in, used, NULL);
    if (!LZ4F_isError(code)) return code == 0 ? UNPACK_BETWEEN : UNPACK_INSIDE;
    *used = *made = 0;
    return !strcmp(LZ4F_getErrorName(code), "ERROR_allocation_failed") ? UNPACK_NO_MEMORY : broken(text, LZ4F_getErrorName(code));
}

static void lz4_close(void *state)
{
    LZ4F_freeDecompressionContext(state);
}

#define EXACT                                                                                                                      \
    {                                                                                                                              \
        0xff, 0xff, 0xff, 0xff                                                                                                     \
    }
static const struct unpack_codec codecs[] = {
    {"gzip", {0x1f, 0x8b, 0x08, 0}, {0xff, 0xff, 0xff, 0}, gzip_open, gzip_step, gzip_close},
    {"zstd", {0x28, 0xb5, 0x2f, 0xfd}, EXACT, zstd_open, zstd_step, zstd_close},
    {"lz4", {0x04, 0x22, 0x4d, 0x18}, EXACT, lz4_open, lz4_step, lz4_close},
    /* A skippable frame may begin either; the parallel zstd writes one first. */
    {"zstd", {0x50, 0x2a, 0x4d, 0x18}, {0xf0, 0xff, 0xff, 0xff}, zstd_open, zstd_step, zstd_close},
};

const struct unpack_codec *unpack_find(const uint8_t *head, size_t length)
{
    for (size_t i = 0; i < sizeof(codecs) / sizeof(*codecs); i++) {
        size_t same = 0;
        while (same < UNPACK_HEAD_BYTES && same < length && (head[same] & codecs[i].mask[same]) == codecs[i].magic[same]) same++;
        if (same == UNPACK_HEAD_BYTES) return &codecs[i];
    }
    return NULL;
}
