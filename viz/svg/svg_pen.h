/* Marks of a picture in SVG: words and shapes, with classes instead of colours.
 *
 * The style sheet gives the classes their light and dark colours, and black on white for paper. Every word goes through
 * viz/pen/escape.h and then through XML's own escapes, so a hostile name stays a name. */
#ifndef TCPWHY_VIZ_SVG_PEN_H
#define TCPWHY_VIZ_SVG_PEN_H

#include "base/buf.h"
#include "viz/pen/measure.h"

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

/* Where and how words are to stand. */
struct svg_place {
    int x, y; /* the first line's baseline */
    enum svg_anchor anchor;
    struct font font;
    int width;        /* points; longer lines are broken */
    int line;         /* from baseline to baseline */
    const char *role; /* class of plain words: "w-i" ink, "w-d" dim …; NULL: ink */
    bool halo;        /* lines behind it make room */
    bool ground;      /* a line that runs through it is broken */
    long row;         /* of the plan, for who steps through it; -1: none */
};

/* Writes the words, one text element a line. The lines it took. */
int svg_words(struct buf *out, const struct layout_text *text, const struct svg_place *place);
/* How many lines that would be. */
int svg_count_lines(const struct layout_text *text, const struct svg_place *place);
/* The widest of those lines, in points, rounded up. */
int svg_width(const struct layout_text *text, const struct svg_place *place);

/* Raw text, escaped for XML's text and attributes; with `ascii` nothing above 0x7e. */
int svg_escape(struct buf *out, const char *text, bool ascii);

void svg_line(struct buf *out, const char *class, int x1, int y1, int x2, int y2);
/* The head of an arrow whose tip is at x, y and that comes from the direction of from_x, from_y; `doubled`: two of them, as a RST
 * has. */
void svg_arrow_head(struct buf *out, const char *class, int from_x, int from_y, int x, int y, bool doubled);

/* From <?xml to behind the background, the size of the whole picture in points; title and description are raw. */
void svg_begin(struct buf *out, int width, int height, const char *title, const char *description, bool ascii);
void svg_end(struct buf *out);

/* The rules of all classes, for a style element (viz/pen.css). */
extern const char svg_sheet[];
/* "w-c", "w-s": the class of a side's colour. */
extern const char *const svg_side[2];

#endif
