/* One page that asks by itself. It fetches nothing and runs nothing but its own script: its policy names the script and the style
 * by their hashes, which tests/e2e/quiz.py holds to their texts. Without scripts each answer can still be unfolded. */
#include <errno.h>
#include <inttypes.h>

#include "base/lang.h"
#include "quiz/pens.h"

#define STYLE                                                                                                                      \
    ":root{color-scheme:light dark;--ink:#1b1b1f;--paper:#fff;--edge:#767680;--good:#0a5c2b;--bad:#9b1c1c}"                        \
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e6ea;--paper:#16161a;--edge:#8d8d98;--good:#7fd6a0;--bad:#ff9c9c}}"          \
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:1.5rem auto;padding:0 1rem;color:var(--ink);"                  \
    "background:var(--paper)}"                                                                                                     \
    "fieldset{border:1px solid var(--edge);border-radius:.4rem;margin:1.5rem 0;padding:1rem;min-width:0}"                          \
    "legend{font-weight:600;padding:0 .4rem}"                                                                                      \
    "pre{overflow-x:auto;font:.8rem/1.25 ui-monospace,monospace;margin:.5rem 0}"                                                   \
    "label{display:block;padding:.25rem 0}"                                                                                        \
    "button,input{font:inherit;color:inherit}"                                                                                     \
    "input[type=text]{border:1px solid var(--edge);background:var(--paper);padding:.2rem .4rem;width:10rem}"                       \
    "button{border:1px solid var(--edge);border-radius:.3rem;background:var(--paper);padding:.3rem .9rem;cursor:pointer}"          \
    ":focus-visible{outline:3px solid #4477dd;outline-offset:2px}"                                                                 \
    ".right{color:var(--good);font-weight:600}.wrong{color:var(--bad);font-weight:600}"                                            \
    "#mark{font-size:1.2rem;font-weight:600}"                                                                                      \
    "@media print{button,#mark,.said{display:none}body{max-width:none}fieldset{break-inside:avoid}}"
#define STYLE_HASH "sha256-32TcrvgM+7h6PTuCbEKuxx6rrcSqyZ+ZIvShgLf2I6s="

/* A question is right once and stays so; the mark counts the first answers alone, as a paper would. */
#define SCRIPT                                                                                                                     \
    "\"use strict\";"                                                                                                              \
    "const all=[...document.querySelectorAll(\"form\")],words=document.body.dataset;let right=0,given=0;"                          \
    "const fill=(text,...holes)=>text.replace(/%([123])/g,(all,hole)=>holes[hole-1]);"                                             \
    "for(const form of all){"                                                                                                      \
    "form.querySelector(\"button\").hidden=false;"                                                                                 \
    "form.addEventListener(\"submit\",event=>{"                                                                                    \
    "event.preventDefault();"                                                                                                      \
    "const said=form.querySelector(\".said\"),field=form.elements.answer;"                                                         \
    "const value=(field.value||\"\").trim();"                                                                                      \
    "if(value===\"\"){said.className=\"said\";said.textContent=words.first;return}"                                                \
    "const good=value===form.dataset.right;"                                                                                       \
    "said.className=good?\"said right\":\"said wrong\";"                                                                           \
    "said.textContent=good?words.right:words.wrong;"                                                                               \
    "form.querySelector(\"details\").open=true;"                                                                                   \
    "if(!form.dataset.given){form.dataset.given=\"1\";given++;if(good)right++}"                                                    \
    "document.getElementById(\"mark\").textContent=fill(given<all.length?words.far:words.mark,right,all.length,all.length-given);" \
    "})}"
#define SCRIPT_HASH "sha256-9l+Idpfgr8v01X/vVJyn2+zu/A8Prs8fTPUhF2Zlglk="

static void put_choices(const struct quiz_question *question, size_t number, struct buf *out)
{
    for (size_t i = 0; i < question->choice_count; i++) {
        buf_printf(out, "<label><input type=\"radio\" name=\"answer\" value=\"%c\"> %c) ", quiz_letter(i), quiz_letter(i));
        quiz_put_html(out, question->choices[i]);
        buf_text(out, "</label>\n");
    }
    if (!question->choice_count)
        buf_printf(out,
                   "<label for=\"n%zu\">%s</label>\n<input type=\"text\" inputmode=\"numeric\" autocomplete=\"off\" "
                   "id=\"n%zu\" name=\"answer\">\n",
                   number, tr("Your number"), number);
}

static void put_question(const struct quiz_question *question, size_t number, struct buf *out)
{
    buf_text(out, "<form data-right=\"");
    if (question->choice_count)
        buf_char(out, quiz_letter(question->right));
    else
        buf_printf(out, "%" PRIu64, question->number);
    buf_printf(out, "\"><fieldset><legend>%zu. ", number);
    quiz_put_html(out, question->prompt);
    buf_text(out, "</legend>\n<pre tabindex=\"0\" role=\"group\" aria-label=\"");
    buf_printf(out, tr("The ladder up to question %zu"), number);
    buf_text(out, "\">");
    quiz_put_html(out, question->ladder);
    buf_text(out, "</pre>\n");
    put_choices(question, number, out);
    buf_printf(out,
               "<p><button type=\"submit\" hidden>%s</button> <span class=\"said\" role=\"status\"></span></p>\n"
               "<details><summary>%s</summary><p><strong>",
               tr("Check"), tr("The answer"));
    if (question->choice_count) buf_printf(out, "%c) ", quiz_letter(question->right));
    quiz_put_html(out, question->answer);
    buf_text(out, "</strong> ");
    quiz_put_html(out, question->why);
    buf_char(out, ' ');
    quiz_put_html(out, question->reference);
    buf_text(out, tr(". Evidence: "));
    quiz_put_html(out, question->evidence);
    buf_text(out, tr("."));
    buf_text(out, "</p></details></fieldset></form>\n");
}

static void put_title(const struct quiz_paper *paper, struct buf *out)
{
    buf_text(out, tr("Questions on "));
    quiz_put_html(out, paper->title);
}

/* What the script says: it is the same in every language, for the policy names it by its hash. */
static void put_words(struct buf *out)
{
    static const struct {
        const char *name, *words;
    } said[] = {{"first", TR("Choose an answer first.")},
                {"right", TR("Right.")},
                {"wrong", TR("Wrong.")},
                {"far", TR("%1 of %2 so far (%3 to go)")},
                {"mark", TR("%1 of %2")}};
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        buf_printf(out, " data-%s=\"", said[i].name);
        quiz_put_html(out, tr(said[i].words));
        buf_char(out, '"');
    }
}

int quiz_write_html(const struct quiz_paper *paper, struct buf *out)
{
    buf_printf(out,
               "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
               "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '" STYLE_HASH
               "'; script-src '" SCRIPT_HASH "'; base-uri 'none'; form-action 'none'\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
               lang_tag(lang_now()));
    put_title(paper, out);
    buf_text(out, "</title>\n<style>" STYLE "</style>\n</head>\n<body");
    put_words(out);
    buf_text(out, ">\n<main>\n<h1>");
    put_title(paper, out);
    buf_text(out, "</h1>\n<p>");
    buf_printf(out, tr("%zu questions about what really happened. A blank is written ____."), paper->count);
    buf_text(out, "</p>\n");
    for (size_t i = 0; i < paper->count; i++) put_question(&paper->questions[i], i + 1, out);
    buf_printf(out, "<p>%s<output id=\"mark\">", tr("Mark: "));
    buf_printf(out, tr("0 of %zu"), paper->count);
    buf_text(out, "</output></p>\n</main>\n<script>" SCRIPT "</script>\n</body>\n</html>\n");
    return out->failed ? -ENOMEM : 0;
}
