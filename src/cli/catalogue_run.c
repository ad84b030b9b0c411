/* `tcpwhy demo --all`: many scenarios, each in a process of its own, a few at once, and the table of what came of them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/scene.h"
#include "lab/catalogue.h"

enum { AT_ONCE = 2, NAME_BYTES = 64, STATES_BYTES = 200, WORDS_BYTES = 3000 };

enum row_state { ROW_MET, ROW_UNMET, ROW_NOT_HERE, ROW_FAILED };

/* What a scenario's process has to say, written in one piece at its end. */
struct row {
    enum row_state state;
    size_t met, unmet, unknown, count;
    size_t connections;
    uint32_t evidence[5]; /* causes, by enum story_evidence */
    char states[2][STATES_BYTES];
    char words[WORDS_BYTES]; /* lines; what was not met, or why it could not be played */
    int64_t took_ms;
};

struct job {
    const char *operand;
    char name[NAME_BYTES];
    pid_t pid;
    int fd; /* -1: not running */
    size_t got;
    struct row row;
    bool ended;
};

static void add_words(struct row *row, const char *text)
{
    size_t used = strlen(row->words);
    snprintf(row->words + used, sizeof(row->words) - used, "%s%s", used ? "\n" : "", text);
}

static void fill_stories(struct row *row, const struct scenario *scenario, const struct play_stories *stories)
{
    row->connections = stories->count;
    for (size_t i = 0; i < stories->count; i++) {
        const struct story_summary *summary = &stories->list[i]->summary;
        for (size_t k = 0; k < 5; k++) row->evidence[k] += summary->causes_by_evidence[k];
        row->evidence[EVIDENCE_NONE] += summary->causes_unknown;
    }
    for (int host = 0; host < 2 && stories->count; host++)
        judge_states(stories->list[0], judge_side(scenario, stories->list[0], (enum scenario_side)host), row->states[host],
                     sizeof(row->states[host]));
}

static void fill_judgement(struct row *row, const struct judgement *judgement)
{
    char line[480];
    row->met = judgement->met;
    row->unmet = judgement->unmet;
    row->unknown = judgement->unknown;
    row->count = judgement->count;
    for (size_t i = 0; i < judgement->count; i++) {
        if (judgement->list[i].verdict == JUDGE_MET) continue;
        snprintf(line, sizeof(line), "line %u: %s", judgement->list[i].line, judgement->list[i].text);
        add_words(row, line);
    }
}

static void play_row(const struct scene_options *options, const char *operand, struct row *row)
{
    struct err err = {""};
    struct scenario *scenario = NULL;
    struct play *play = NULL;
    struct play_stories stories = {0};
    struct judgement judgement = {0};
    struct play_options play_options = {.recorder = options->recorder, .quiet = true, .host_network = options->host_network};
    int64_t begun = cli_clock_ms();
    int code = scene_load(operand, &scenario, &err);
    if (!code) code = play_run(scenario, &play_options, &play, &err);
    row->state = code == -ENOTSUP || code == -EPERM || code == -EACCES ? ROW_NOT_HERE : ROW_FAILED;
    if (code) add_words(row, err.text);
    if (play && !play_tell(play_log(play), &stories, &err) && !judge(scenario, play, &stories, &judgement, &err)) {
        fill_stories(row, scenario, &stories);
        fill_judgement(row, &judgement);
        if (!code) row->state = judgement.unmet ? ROW_UNMET : ROW_MET;
    }
    row->took_ms = cli_clock_ms() - begun;
    judgement_free(&judgement);
    play_stories_free(&stories);
    play_close(play);
    scenario_free(scenario);
}

static int start(const struct scene_options *options, struct job *job, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        int code = -errno;
        return err_set_errno(err, code, "can't run %s (pipe2)", job->name);
    }
    fflush(stdout);
    pid_t parent = getpid();
    job->pid = fork();
    if (job->pid == 0) {
        static struct row row;
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent) _exit(1);
        play_row(options, job->operand, &row);
        _exit(write(ends[1], &row, sizeof(row)) == (ssize_t)sizeof(row) ? 0 : 1); /* more than PIPE_BUF, but one writer */
    }
    int code = job->pid < 0 ? -errno : 0;
    close(ends[1]);
    job->fd = ends[0];
    return code ? err_set_errno(err, code, "can't run %s (fork)", job->name) : 0;
}

static void finish(struct job *job)
{
    int status = 0;
    close(job->fd);
    job->fd = -1;
    while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR) continue;
    job->ended = true;
    if (job->got == sizeof(job->row) && status == 0) return;
    job->row = (struct row){.state = ROW_FAILED};
    snprintf(job->row.words, sizeof(job->row.words), "its process ended before it had a result (wait status %d)", status);
}

static void hear(struct job *job)
{
    ssize_t got = read(job->fd, (char *)&job->row + job->got, sizeof(job->row) - job->got);
    if (got < 0 && errno == EINTR) return;
    if (got > 0) job->got += (size_t)got;
    if (got <= 0 || job->got == sizeof(job->row)) finish(job);
}

/* ---- the table ---- */

static void print_row(const struct job *job)
{
    static const char *const words[] = {
        [ROW_MET] = "met", [ROW_UNMET] = "NOT MET", [ROW_NOT_HERE] = "not here", [ROW_FAILED] = "FAILED"};
    static const char *const hosts[] = {"client", "server"};
    const struct row *row = &job->row;
    char expectations[32] = "", causes[96] = "";
    size_t used = 0;
    if (row->count) snprintf(expectations, sizeof(expectations), "%zu of %zu", row->met, row->count);
    for (int evidence = EVIDENCE_STACK; evidence >= EVIDENCE_NONE; evidence--)
        if (row->evidence[evidence])
            used += (size_t)snprintf(causes + used, sizeof(causes) - used, "%s%s %u", used ? ", " : "",
                                     evidence ? story_evidence_name((enum story_evidence)evidence) : "unknown",
                                     row->evidence[evidence]);
    printf("%-28s %-8s %-9s %-34s %5.1f s\n", job->name, words[row->state], expectations, causes, (double)row->took_ms / 1000);
    for (int host = 0; host < 2; host++)
        if (row->states[host][0]) printf("    %s  %s\n", hosts[host], row->states[host]);
    if (row->connections > 1) printf("    (the first of %zu connections)\n", row->connections);
    for (const char *line = row->words; *line;) {
        size_t length = strcspn(line, "\n");
        struct err safe;
        err_set(&safe, 0, "%.*s", (int)length, line);
        printf("    ! %s\n", safe.text);
        line += length + (line[length] == '\n');
    }
}

static int conclude(const struct job *jobs, size_t count, struct err *err)
{
    size_t states[4] = {0}, met = 0, expected = 0, unknown = 0;
    uint32_t evidence[5] = {0};
    for (size_t i = 0; i < count; i++) {
        states[jobs[i].row.state]++;
        met += jobs[i].row.met;
        unknown += jobs[i].row.unknown;
        expected += jobs[i].row.count;
        for (size_t k = 0; k < 5; k++) evidence[k] += jobs[i].row.evidence[k];
    }
    printf("\n%zu scenarios: %zu met, %zu not met, %zu failed, %zu can't be shown here\n", count, states[ROW_MET],
           states[ROW_UNMET], states[ROW_FAILED], states[ROW_NOT_HERE]);
    printf("%zu expectations: %zu met, %zu not met, %zu can't be told with this recorder\n", expected, met,
           expected - met - unknown, unknown);
    printf("causes by evidence: stack %u, context %u, interval %u, rule %u, unknown %u\n", evidence[EVIDENCE_STACK],
           evidence[EVIDENCE_CONTEXT], evidence[EVIDENCE_INTERVAL], evidence[EVIDENCE_RULE], evidence[EVIDENCE_NONE]);
    if (!states[ROW_UNMET] && !states[ROW_FAILED]) return CLI_DONE;
    return err_set(err, CLI_FAILED, "%zu of %zu scenarios did not go as they should", states[ROW_UNMET] + states[ROW_FAILED],
                   count);
}

static void name_job(struct job *job, const char *operand)
{
    const char *slash = strrchr(operand, '/');
    job->operand = operand;
    job->fd = -1;
    snprintf(job->name, sizeof(job->name), "%s", slash ? slash + 1 : operand);
    char *dot = strstr(job->name, ".scn");
    if (dot && !dot[4]) *dot = '\0';
}

static int run_jobs(const struct scene_options *options, struct job *jobs, size_t count, struct err *err)
{
    size_t next = 0, printed = 0, running = 0;
    int code = 0;
    while (printed < count && !code) {
        struct pollfd fds[AT_ONCE];
        size_t which[AT_ONCE];
        nfds_t waits = 0;
        for (; running < AT_ONCE && next < count && !code; running++) code = start(options, &jobs[next++], err);
        for (size_t i = 0; i < next && waits < AT_ONCE; i++)
            if (jobs[i].fd >= 0) which[waits] = i, fds[waits++] = (struct pollfd){.fd = jobs[i].fd, .events = POLLIN};
        if (poll(fds, waits, -1) < 0 && errno != EINTR) code = err_set_errno(err, -errno, "can't wait for the scenarios");
        for (nfds_t i = 0; i < waits && !code; i++) {
            if (!fds[i].revents) continue;
            hear(&jobs[which[i]]);
            running -= jobs[which[i]].ended;
        }
        for (; printed < count && jobs[printed].ended; printed++) {
            print_row(&jobs[printed]);
            fflush(stdout);
        }
    }
    return code;
}

int scene_run_all(const struct scene_options *options, struct err *err)
{
    size_t count = options->operand_count;
    const struct catalogue_entry *entries = NULL;
    if (options->explain || options->output.format || options->output.file_count)
        return err_set(err, CLI_USAGE, "--all prints its table and nothing else: no --explain, --format or -o");
    if (!count) entries = catalogue(&count);
    struct job *jobs = calloc(count + 1, sizeof(*jobs));
    if (!jobs) return err_set_errno(err, -ENOMEM, "can't run the scenarios"), CLI_FAILED;
    for (size_t i = 0; i < count; i++) name_job(&jobs[i], entries ? entries[i].name : options->operands[i]);
    int code = run_jobs(options, jobs, count, err);
    int status = code ? CLI_FAILED : conclude(jobs, count, err);
    free(jobs);
    return status;
}
