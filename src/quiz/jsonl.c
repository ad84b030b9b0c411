/* A JSON object a question, for other programs. */
#include <errno.h>

#include "quiz/pens.h"
#include "viz/pen/json.h"

int quiz_write_jsonl(const struct quiz_paper *paper, struct buf *out)
{
    struct json json = json_new(out, false);
    for (size_t i = 0; i < paper->count; i++) {
        const struct quiz_question *question = &paper->questions[i];
        json_object(&json, NULL);
        json_string(&json, "type", "question");
        json_uint(&json, "question", i + 1);
        json_string(&json, "field", quiz_field_name(question->field));
        json_string(&json, "conn", question->conn);
        json_string(&json, "end", story_side_name(question->side));
        json_string(&json, "kind", question->kind);
        json_maybe_int(&json, "which", question->which != 0, question->which);
        json_string(&json, "prompt", question->prompt);
        json_string(&json, "ladder", question->ladder);
        json_array(&json, "choices");
        for (size_t k = 0; k < question->choice_count; k++) json_string(&json, NULL, question->choices[k]);
        json_end_array(&json);
        json_maybe_int(&json, "right", question->choice_count != 0, (int64_t)question->right);
        json_maybe_int(&json, "number", question->choice_count == 0, (int64_t)question->number);
        json_string(&json, "answer", question->answer);
        json_string(&json, "why", question->why);
        json_string(&json, "reference", question->reference);
        json_string(&json, "evidence", question->evidence);
        json_end_object(&json);
        json_newline(&json);
    }
    return out->failed ? -ENOMEM : 0;
}
