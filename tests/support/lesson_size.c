/* lesson_size FOLDER NAME…: of each scenario of the catalogue, played into FOLDER/NAME.events, how large its lesson is: a line
 * "NAME ROWS COLUMNS", 0 0 where none can be drawn. Exit status 1 where there is no such scenario or play. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "event/log.h"
#include "event/text.h"
#include "lab/scenario/scenario.h"
#include "play/catalogue/scene.h"
#include "play/lesson/lesson_size.h"

enum { PATH_BYTES = 4096, LOG_BYTES = 256 << 20 };

static int read_log(const char *path, struct event_log *log, struct err *err)
{
    struct buf text = buf_new(LOG_BYTES);
    char chunk[65536];
    FILE *file = fopen(path, "rbe");
    int code = file ? 0 : err_set_errno(err, -1, "can't open %s", path);
    for (size_t n; !code && (n = fread(chunk, 1, sizeof(chunk), file)) > 0;) code = buf_append(&text, chunk, n);
    if (!code) code = event_text_read(path, buf_string(&text), text.length, log, err);
    if (file) fclose(file);
    buf_free(&text);
    return code;
}

static int say_size(const char *folder, const char *name)
{
    char path[PATH_BYTES];
    struct scenario *scenario = NULL;
    struct event_log *log = event_log_new();
    struct err err = {""};
    snprintf(path, sizeof(path), "%s/%s.events", folder, name);
    int code = scene_load(name, &scenario, &err);
    if (!code) code = read_log(path, log, &err);
    if (!code) {
        struct lesson_size size = lesson_size(name, scenario, log);
        printf("%s %u %u\n", name, size.rows, size.columns);
    }
    if (code) fprintf(stderr, "%s: %s\n", name, err.text);
    event_log_free(log);
    scenario_free(scenario);
    return code;
}

int main(int argc, char **argv)
{
    int failed = argc < 3;
    for (int i = 2; i < argc; i++) failed |= !!say_size(argv[1], argv[i]);
    return failed;
}
