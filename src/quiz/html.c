/* One page that asks by itself. It fetches nothing and runs nothing but its own script: its policy names the script and the style
 * by their hashes, which tests/e2e/quiz.py holds to their texts. Without scripts each answer can still be unfolded. */
#include <errno.h>
#include <inttypes.h>

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
    "const all=[...document.querySelectorAll(\"form\")];let right=0,given=0;"                                                      \
    "for(const form of all){"                                                                                                      \
    "form.querySelector(\"button\").hidden=false;"                                                                                 \
    "form.addEventListener(\"submit\",event=>{"                                                                                    \
    "event.preventDefault();"                                                                                                      \
    "const said=form.querySelector(\".said\"),field=form.elements.answer;"                                                         \
    "const value=(field.value||\"\").trim();"                                                                                      \
    "if(value===\"\"){said.className=\"said\";said.textContent=\"Choose an answer first.\";return}"                                \
    "const good=value===form.dataset.right;"                                                                                       \
    "said.className=good?\"said right\":\"said wrong\";"                                                                           \
    "said.textContent=good?\"Right.\":\"Wrong.\";"                                                                                 \
    "form.querySelector(\"details\").open=true;"                                                                                   \
    "if(!form.dataset.given){form.dataset.given=\"1\";given++;if(good)right++}"                                                    \
    "document.getElementById(\"mark\").textContent=right+\" of \"+all.length+"                                                     \
    "(given<all.length?\" so far (\"+(all.length-given)+\" to go)\":\"\");"                                                        \
    "})}"
#define SCRIPT_HASH "sha256-igYI/oSqJ4rUIaxu9MitZYmk0Ohu89Y8FfShoAJM5Wo="

static void put_choices(const struct quiz_question *question, size_t number, struct buf *out)
{
    for (size_t i = 0; i < question->choice_count; i++) {
        buf_printf(out, "<label><input type=\"radio\" name=\"answer\" value=\"%c\"> %c) ", quiz_letter(i), quiz_letter(i));
        quiz_put_html(out, question->choices[i]);
        buf_text(out, "</label>\n");
    }
    if (!question->choice_count)
        buf_printf(out,
                   "<label for=\"n%zu\">Your number</label>\n<input type=\"text\" inputmode=\"numeric\" autocomplete=\"off\" "
                   "id=\"n%zu\" name=\"answer\">\n",
                   number, number);
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
    buf_printf(out, "</legend>\n<pre tabindex=\"0\" role=\"group\" aria-label=\"The ladder up to question %zu\">", number);
    quiz_put_html(out, question->ladder);
    buf_text(out, "</pre>\n");
    put_choices(question, number, out);
    buf_text(out, "<p><button type=\"submit\" hidden>Check</button> <span class=\"said\" role=\"status\"></span></p>\n"
                  "<details><summary>The answer</summary><p><strong>");
    if (question->choice_count) buf_printf(out, "%c) ", quiz_letter(question->right));
    quiz_put_html(out, question->answer);
    buf_text(out, "</strong> ");
    quiz_put_html(out, question->why);
    buf_char(out, ' ');
    quiz_put_html(out, question->reference);
    buf_text(out, ". Evidence: ");
    quiz_put_html(out, question->evidence);
    buf_text(out, ".</p></details></fieldset></form>\n");
}

int quiz_write_html(const struct quiz_paper *paper, struct buf *out)
{
    buf_text(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '" STYLE_HASH
                  "'; script-src '" SCRIPT_HASH "'; base-uri 'none'; form-action 'none'\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Questions on ");
    quiz_put_html(out, paper->title);
    buf_text(out, "</title>\n<style>" STYLE "</style>\n</head>\n<body>\n<main>\n<h1>Questions on ");
    quiz_put_html(out, paper->title);
    buf_printf(out, "</h1>\n<p>%zu questions about what really happened. A blank is written ____.</p>\n", paper->count);
    for (size_t i = 0; i < paper->count; i++) put_question(&paper->questions[i], i + 1, out);
    buf_printf(out, "<p>Mark: <output id=\"mark\">0 of %zu</output></p>\n</main>\n<script>" SCRIPT "</script>\n</body>\n</html>\n",
               paper->count);
    return out->failed ? -ENOMEM : 0;
}
