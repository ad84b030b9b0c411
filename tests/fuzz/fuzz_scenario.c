/* Any bytes as a scenario: a model without mistakes or mistakes with places that exist, shown in printable text. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lab/scenario/scenario.h"

static void require(int holds)
{
    if (!holds) abort();
}

static void check_model(const struct scenario *scenario)
{
    require(scenario->title && scenario->title[0] && scenario->step_count > 0 && scenario->step_count <= SCENARIO_STEPS_MAX);
    for (size_t i = 0; i < scenario->step_count; i++) {
        const struct scenario_step *step = &scenario->steps[i];
        require(step->verb < SCENARIO_VERBS && step->actor < scenario->actor_count);
        require(!step->socket || strlen(step->socket) < SCENARIO_NAME_BYTES);
        require(!step->name || strlen(step->name) < SCENARIO_NAME_BYTES);
        require((step->verb == SCENARIO_WIRE_INJECT) == (step->forgery != NULL));
        require(!step->forgery || wire_forgery_is_sound(step->forgery));
        require(!step->data || strlen(step->data) <= SCENARIO_DATA_BYTES);
    }
    for (size_t i = 0; i < scenario->expect_count; i++) require(scenario->expects[i].connection > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct scenario_mistakes mistakes;
    static const char *const findings[] = {"refused", "reset-unread-data"}, *const calls[] = {"recvfrom", "io_uring send"};
    static const struct scenario_vocabulary vocabulary = {findings, 2, calls, 2};
    struct scenario *scenario = NULL;
    int code = scenario_parse((const char *)data, size, &vocabulary, &scenario, &mistakes);
    require(code == 0 || code == -EINVAL);
    if (!code) {
        require(mistakes.total == 0);
        check_model(scenario);
        scenario_free(scenario);
        return 0;
    }
    require(mistakes.count > 0 && mistakes.total >= mistakes.count);
    struct buf out = buf_new((size_t)1 << 26);
    require(scenario_explain(&out, "f.scn", (const char *)data, size, &mistakes) == 0);
    for (size_t i = 0; i < out.length; i++) require((unsigned char)out.data[i] >= 0x20 || out.data[i] == '\n');
    for (size_t i = 0; i < mistakes.count; i++)
        require(mistakes.list[i].line && mistakes.list[i].column && mistakes.list[i].text[0]);
    buf_free(&out);
    return 0;
}
