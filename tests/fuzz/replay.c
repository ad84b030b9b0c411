/* The main of a fuzz target where there is no libFuzzer: runs stored inputs, and mutations of them, the same ones every time.
 *
 *     fuzz_NAME [--mutations N] [--seconds-each S] DIRECTORY|FILE…
 *
 * The target runs in a child, so that whatever it does (crash, sanitizer report, hang) the parent still has the input: it lies in
 * memory that both share, right before a page that can't be read, where one byte of over-read is a crash. The parent writes it to
 * NAME.crash, to be run again by itself. Exit status 0: all inputs were survived; 1: one was not; 2: nothing to run. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_BYTES_MAX = 256 * 1024, INPUTS_MAX = 4096, DEFAULT_SECONDS_EACH = 10 };

struct input {
    char *name;
    uint8_t *bytes;
    size_t length;
};

/* Shared between parent and child; the area of the input ends at the guard page. */
struct stage {
    size_t length;
    size_t number;      /* which input it is a mutation of */
    unsigned long runs; /* how many came before it */
    bool mutated;       /* else it is the stored input itself */
    uint8_t *guard;     /* the page that can't be read */
};

static struct input inputs[INPUTS_MAX];
static size_t input_count;

static _Noreturn void stop(const char *what, const char *name)
{
    fprintf(stderr, "replay: %s %s: %s\n", what, name, strerror(errno));
    exit(2);
}

static void load_file(const char *path)
{
    struct input *input = &inputs[input_count];
    FILE *file = fopen(path, "rb");

    if (!file) stop("can't open", path);
    if (input_count == INPUTS_MAX) {
        fprintf(stderr, "replay: more than %d inputs: thin out the corpus\n", INPUTS_MAX);
        exit(2);
    }
    input->name = strdup(path);
    input->bytes = malloc(INPUT_BYTES_MAX);
    if (!input->name || !input->bytes) stop("no memory for", path);
    input->length = fread(input->bytes, 1, INPUT_BYTES_MAX, file);
    if (fgetc(file) != EOF) {
        fprintf(stderr, "replay: %s is longer than %d bytes: store a shorter input\n", path, INPUT_BYTES_MAX);
        exit(2);
    }
    fclose(file);
    input->bytes = realloc(input->bytes, input->length + 1); /* shrinks */
    if (!input->bytes) stop("no memory for", path);
    input_count++;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void load(const char *path)
{
    struct dirent **entries;
    struct stat stat_of;
    int count;

    if (stat(path, &stat_of) != 0) stop("no inputs at", path);
    if (!S_ISDIR(stat_of.st_mode)) {
        load_file(path);
        return;
    }
    /* In order of name: the order decides which mutations are made. */
    count = scandir(path, &entries, is_visible, alphasort);
    if (count < 0) stop("can't list", path);
    for (int i = 0; i < count; i++) {
        char *file;

        if (asprintf(&file, "%s/%s", path, entries[i]->d_name) < 0) stop("no memory for", path);
        load_file(file);
        free(file);
        free(entries[i]);
    }
    free(entries);
}

static uint32_t random_below(uint64_t *state, size_t limit)
{
    /* xorshift64*: the same numbers on every machine. */
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return limit ? (uint32_t)(((*state * 0x2545F4914F6CDD1DULL) >> 32) % limit) : 0;
}

/* Values at which lengths, offsets and counters turn over. */
static const uint8_t edges[] = {0x00, 0x01, 0x04, 0x05, 0x0f, 0x10, 0x14, 0x28, 0x3c, 0x45, 0x7f, 0x80, 0xf0, 0xfe, 0xff};

static void mutate_flip(uint8_t *bytes, size_t *length, uint64_t *random)
{
    if (*length) bytes[random_below(random, *length)] ^= (uint8_t)(1U << random_below(random, 8));
}

static void mutate_byte(uint8_t *bytes, size_t *length, uint64_t *random)
{
    if (*length) bytes[random_below(random, *length)] = (uint8_t)random_below(random, 256);
}

static void mutate_edge(uint8_t *bytes, size_t *length, uint64_t *random)
{
    size_t run = 1U + random_below(random, 4);
    size_t at = random_below(random, *length);
    uint8_t edge = edges[random_below(random, sizeof(edges))];

    for (size_t i = at; i < *length && i < at + run; i++) bytes[i] = edge;
}

static void mutate_cut(uint8_t *bytes, size_t *length, uint64_t *random)
{
    (void)bytes;
    *length = random_below(random, *length + 1);
}

static void mutate_remove(uint8_t *bytes, size_t *length, uint64_t *random)
{
    size_t at = random_below(random, *length);
    size_t run = random_below(random, *length - at + 1);

    if (run > 16) run = 16;
    memmove(bytes + at, bytes + at + run, *length - at - run);
    *length -= run;
}

/* Puts a run of the input's own bytes in a second time, somewhere else. */
static void mutate_repeat(uint8_t *bytes, size_t *length, uint64_t *random)
{
    size_t from = random_below(random, *length);
    size_t to = random_below(random, *length + 1);
    size_t run = random_below(random, *length - from + 1);
    uint8_t copy[64];

    if (run > sizeof(copy)) run = sizeof(copy);
    if (run > INPUT_BYTES_MAX - *length) return;
    memcpy(copy, bytes + from, run);
    memmove(bytes + to + run, bytes + to, *length - to);
    memcpy(bytes + to, copy, run);
    *length += run;
}

/* Ends this input with the end of another. */
static void mutate_splice(uint8_t *bytes, size_t *length, uint64_t *random)
{
    const struct input *other = &inputs[random_below(random, input_count)];
    size_t at = random_below(random, *length + 1);
    size_t from = random_below(random, other->length + 1);
    size_t run = other->length - from;

    if (run > INPUT_BYTES_MAX - at) run = INPUT_BYTES_MAX - at;
    memcpy(bytes + at, other->bytes + from, run);
    *length = at + run;
}

/* Numbers that a text parser must refuse or take whole. */
static void mutate_number(uint8_t *bytes, size_t *length, uint64_t *random)
{
    static const char *const numbers[] = {"0", "-1", "255", "256", "65535", "65536", "4294967296", "18446744073709551616", "0x"};
    const char *number = numbers[random_below(random, sizeof(numbers) / sizeof(*numbers))];
    size_t run = strlen(number);
    size_t at = random_below(random, *length + 1);

    if (run > INPUT_BYTES_MAX - *length) return;
    memmove(bytes + at + run, bytes + at, *length - at);
    memcpy(bytes + at, number, run);
    *length += run;
}

static void (*const mutators[])(uint8_t *bytes, size_t *length, uint64_t *random) = {
    mutate_flip, mutate_byte, mutate_edge, mutate_cut, mutate_remove, mutate_repeat, mutate_splice, mutate_number};

static void run_one(struct stage *stage, const uint8_t *bytes, size_t length, unsigned seconds)
{
    uint8_t *at = stage->guard - length;

    if (length) memcpy(at, bytes, length);
    stage->length = length;
    alarm(seconds);
    LLVMFuzzerTestOneInput(at, length);
    stage->runs++;
}

static void run_all(struct stage *stage, unsigned long mutations, unsigned seconds)
{
    uint8_t *work = malloc(INPUT_BYTES_MAX);
    uint64_t random = 0x9E3779B97F4A7C15ULL;

    if (!work) stop("no memory for", "mutations");
    for (size_t i = 0; i < input_count; i++) {
        stage->number = i;
        run_one(stage, inputs[i].bytes, inputs[i].length, seconds);
    }
    stage->mutated = true;
    for (unsigned long i = 0; i < mutations; i++) {
        const struct input *input = &inputs[i % input_count];
        size_t length = input->length;

        if (length) memcpy(work, input->bytes, length);
        for (uint32_t rounds = 1 + random_below(&random, 4); rounds; rounds--)
            mutators[random_below(&random, sizeof(mutators) / sizeof(*mutators))](work, &length, &random);
        stage->number = i % input_count;
        run_one(stage, work, length, seconds);
    }
    alarm(0);
    free(work);
}

static struct stage *stage_new(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t area = (INPUT_BYTES_MAX + page - 1) / page * page;
    uint8_t *memory = mmap(NULL, page + area + page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct stage *stage = (struct stage *)(void *)memory;

    if (memory == MAP_FAILED) stop("no memory for", "the input");
    stage->guard = memory + page + area;
    if (mprotect(stage->guard, page, PROT_NONE) != 0) stop("can't guard", "the input");
    return stage;
}

static void describe(const struct stage *stage, int status, const char *program)
{
    const char *slash = strrchr(program, '/');
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s.crash", slash ? slash + 1 : program);
    fprintf(stderr, "replay: broken by %s%s (input %lu, %zu bytes): ", stage->mutated ? "a mutation of " : "",
            inputs[stage->number].name, stage->runs, stage->length);
    if (WIFSIGNALED(status))
        fprintf(stderr, "%s%s\n", strsignal(WTERMSIG(status)), WTERMSIG(status) == SIGALRM ? " (it took too long)" : "");
    else
        fprintf(stderr, "exit status %d (a leak is reported after the last input and may come from any)\n", WEXITSTATUS(status));
    file = fopen(path, "wb");
    if (!file || fwrite(stage->guard - stage->length, 1, stage->length, file) != stage->length || fclose(file) != 0) {
        stop("can't write", path);
    }
    fprintf(stderr, "replay: the input is in %s; run %s %s\n", path, program, path);
}

static _Noreturn void usage(const char *program)
{
    fprintf(stderr, "usage: %s [--mutations N] [--seconds-each S] DIRECTORY|FILE…\n", program);
    exit(2);
}

int main(int argc, char **argv)
{
    unsigned long mutations = 0, seconds = DEFAULT_SECONDS_EACH;
    struct stage *stage;
    int status;
    pid_t child;
    int i = 1;

    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        if (strcmp(argv[i], "--mutations") == 0) {
            mutations = strtoul(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--seconds-each") == 0) {
            seconds = strtoul(argv[i + 1], NULL, 10);
        } else {
            usage(argv[0]);
        }
    }
    if (i >= argc) usage(argv[0]);
    for (; i < argc; i++) load(argv[i]);
    if (input_count == 0) {
        fprintf(stderr, "replay: the corpus is empty: store at least one sound input there\n");
        return 2;
    }

    stage = stage_new();
    child = fork();
    if (child < 0) stop("can't fork", argv[0]);
    if (child == 0) {
        run_all(stage, mutations, (unsigned)seconds);
        for (size_t n = 0; n < input_count; n++) {
            free(inputs[n].name);
            free(inputs[n].bytes);
        }
        exit(0);
    }
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) stop("can't wait for", argv[0]);
    }
    if (status != 0) {
        describe(stage, status, argv[0]);
        return 1;
    }
    printf("%zu inputs and %lu mutations\n", input_count, mutations);
    for (size_t n = 0; n < input_count; n++) {
        free(inputs[n].name);
        free(inputs[n].bytes);
    }
    return 0;
}
