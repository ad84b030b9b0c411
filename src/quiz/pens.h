/* Papers written down: for print, for Moodle, as a page, for programs. One table; a pen a file. */
#ifndef TCPWHY_QUIZ_PENS_H
#define TCPWHY_QUIZ_PENS_H

#include "base/buf.h"
#include "quiz/quiz.h"

struct quiz_pen {
    const char *name;    /* --export NAME */
    const char *suffix;  /* -o FILE */
    const char *summary; /* for --help */
    /* Appends the whole paper. 0 or the buffer's error. */
    int (*write)(const struct quiz_paper *paper, struct buf *out);
};

/* All of them; *ret_count. Static storage. */
const struct quiz_pen *quiz_pens(size_t *ret_count);
/* NULL: no such name / no pen for this file's ending. */
const struct quiz_pen *quiz_pen_by_name(const char *name);
const struct quiz_pen *quiz_pen_by_path(const char *path);

int quiz_write_sheet(const struct quiz_paper *paper, struct buf *out);
int quiz_write_gift(const struct quiz_paper *paper, struct buf *out);
int quiz_write_html(const struct quiz_paper *paper, struct buf *out);
int quiz_write_jsonl(const struct quiz_paper *paper, struct buf *out);

/* Appends `text` (escaped already) in lines of at most `width` columns, all but the first indented by `indent`; `used` columns of
 * the first are taken. No newline behind the last. */
void quiz_wrap(struct buf *out, const char *text, int width, int indent, int used);
/* "RFC 9293 section 3.5. Evidence: kernel stack." behind the sentence that says why. */
void quiz_put_feedback(struct buf *out, const struct quiz_question *question);
/* For HTML and GIFT's [html]: & < > " ' and the backslash as entities. */
void quiz_put_html(struct buf *out, const char *text);
/* 'a' to 'd' */
char quiz_letter(size_t choice);

#endif
