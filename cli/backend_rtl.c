/* cli/backend_rtl.c - a model on the Verilated LPU: rtl/verify's harness as a server, pass by pass.
 *
 * Each pass runs on the golden machine and on the RTL, and fails at the first difference; so what
 * it gives is what both say. The harness reads "1,2,3" or "rewind" and answers with a line of JSON.
 */
#include "cli/backend_rtl.h"

#include "cli/verify.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORD_BYTES = LPU_VERIFY_PATH_BYTES + 16, ANSWER_FD = 3, TOKEN_BYTES = 12 };

typedef struct server {
    lpu_verify_work work;
    pid_t pid; /* 0: none */
    FILE *to, *from;
    uint32_t position;
    lpu_session_account accounts[LPU_PHASE_DECODE + 1];
} server;

/* ---- the design as a file ---- */

static lpu_status write_design(const char *path, const lpu_design *d, lpu_diag *diag)
{
    FILE *f = fopen(path, "w");

    if (!f) return lpu_fail(diag, LPU_ERR_IO, "%s: cannot write: %s", path, strerror(errno));
    fprintf(f,
            "name: %s\ntitle: \"%s\"\nsource: \"as given\"\nlane: add\ncode: %s\nresidence: dram\n"
            "clock_mhz: %u\nrows: %u\ncols: %u\nlines: %u\nfill_bytes_per_cycle: %u\n"
            "passes_max: %u\nvector_lanes: %u\nscratch_kib: %u\nfifo_kib: %u\n"
            "bus_bytes_per_cycle: %u\noutstanding_bursts: %u\nstream_queue: %u\nkv_trits: %u\n"
            "head_trits: %u\nwire_um: %u\ndram: %s\nprice: %s\n",
            d->name, d->title, d->code == LPU_CODE_T2 ? "2bit" : "base3", d->clock_mhz, d->rows,
            d->cols, d->lines, d->fill_bytes_per_cycle, d->passes_max, d->vector_lanes,
            d->scratch_kib, d->fifo_kib, d->bus_bytes_per_cycle, d->outstanding_bursts,
            d->stream_queue, d->kv_trits, d->head_trits, d->wire_um, d->dram_name, d->price);
    const bool has_failed = ferror(f) != 0;
    if (fclose(f) || has_failed) return lpu_fail(diag, LPU_ERR_IO, "%s: cannot write", path);
    return LPU_OK;
}

/* ---- the harness ---- */

/* In the child: what it hears, what it answers, and a log for the rest. */
static void become(const char *program, char *const *argv, const int *hears, const int *answers,
                   const char *log)
{
    if (!freopen(log, "w", stdout)) _exit(127);
    dup2(STDOUT_FILENO, STDERR_FILENO);
    dup2(hears[0], STDIN_FILENO);
    if (answers[1] != ANSWER_FD) dup2(answers[1], ANSWER_FD);
    execv(program, argv);
    _exit(127);
}

static lpu_status start(server *s, const char *program, char *const *argv, lpu_diag *diag)
{
    int hears[2], answers[2];
    char log[WORD_BYTES];

    snprintf(log, sizeof(log), "%s/log", s->work.folder);
    if (pipe(hears) || pipe(answers)) {
        return lpu_fail(diag, LPU_ERR_IO, "no pipe: %s", strerror(errno));
    }
    s->pid = fork();
    if (!s->pid) {
        close(hears[1]);
        close(answers[0]);
        become(program, argv, hears, answers, log);
    }
    close(hears[0]);
    close(answers[1]);
    s->to = fdopen(hears[1], "w");
    s->from = fdopen(answers[0], "r");
    if (s->pid > 0 && s->to && s->from) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_IO, "%s: cannot be started: %s", program, strerror(errno));
}

static void close_rtl(void **state)
{
    server *s = *state;

    if (!s) return;
    if (s->to) fclose(s->to);
    if (s->from) fclose(s->from);
    while (s->pid > 0 && waitpid(s->pid, NULL, 0) < 0 && errno == EINTR) continue;
    lpu_verify_close_work(&s->work);
    free(s);
    *state = NULL;
}

/* The next line of JSON; a sentence where there is none, or where it is one. */
static lpu_status hear(server *s, json_t **answer, lpu_diag *diag)
{
    char *line = NULL, last[300], log[WORD_BYTES];
    size_t room = 0;
    lpu_status status = LPU_OK;

    *answer = getline(&line, &room, s->from) > 0 ? json_loads(line, 0, NULL) : NULL;
    free(line);
    const json_t *difference = json_object_get(*answer, "difference");
    if (!*answer) {
        s->work.is_kept = true;
        snprintf(log, sizeof(log), "%s/log", s->work.folder);
        lpu_verify_read_line(log, "", last, sizeof(last));
        return lpu_fail(diag, LPU_ERR_IO, "the harness ended: %s; log: %s", last, log);
    }
    if (difference) {
        status =
            lpu_fail(diag, LPU_ERR_FORMAT,
                     "the RTL differs from the golden machine: %s, expected %s, found %s; %s",
                     lpu_verify_text(difference, "signal"), lpu_verify_text(difference, "expected"),
                     lpu_verify_text(difference, "found"), lpu_verify_text(difference, "where"));
    } else if (!strcmp(lpu_verify_text(*answer, "kind"), "refused")) {
        status = lpu_fail(diag, LPU_ERR_RANGE, "%s", lpu_verify_text(*answer, "text"));
    }
    if (status) {
        json_decref(*answer);
        *answer = NULL;
    }
    return status;
}

static lpu_status open_server(server *s, const lpu_backend_request *r, lpu_diag *diag)
{
    char rtl[PATH_MAX], own[LPU_VERIFY_PATH_BYTES], program[LPU_VERIFY_PATH_BYTES];
    char model[WORD_BYTES], design[WORD_BYTES], capacity[WORD_BYTES], yaml[WORD_BYTES];
    char *const argv[] = {program, model, design, capacity, (char[]){"serve=1"}, NULL};
    json_t *answer;

    snprintf(own, sizeof(own), "%s/rtl", lpu_array_options_home());
    lpu_status status = lpu_verify_check_rtl(rtl, own, diag);
    if (!status) status = lpu_verify_open_work(&s->work, NULL, diag);
    if (status) return status;
    snprintf(yaml, sizeof(yaml), "%s/design.yaml", s->work.folder);
    snprintf(model, sizeof(model), "model=%s", r->path);
    snprintf(design, sizeof(design), "design=%.*s", LPU_VERIFY_PATH_BYTES, yaml);
    snprintf(capacity, sizeof(capacity), "capacity=%u", r->context_tokens);
    status = write_design(yaml, r->design, diag);
    if (!status) {
        status = lpu_verify_build_top(program, &s->work, r->design, rtl, "lpu_top", "speed", diag);
    }
    if (!status) status = start(s, program, argv, diag);
    if (!status) status = hear(s, &answer, diag);
    if (!status) json_decref(answer);
    return status;
}

static lpu_status open_rtl(void **state, const lpu_backend_request *r, lpu_diag *diag)
{
    server *s = calloc(1, sizeof(*s));

    *state = s;
    if (!s) return lpu_fail(diag, LPU_ERR_MEMORY, "out of memory");
    const lpu_status status = open_server(s, r, diag);
    if (status) close_rtl(state);
    return status;
}

static void rewind_rtl(void *state)
{
    server *s = state;
    fprintf(s->to, "rewind\n");
    s->position = 0;
}

/* ---- a pass ---- */

static void account(lpu_session_account *a, const json_t *answer, size_t tokens)
{
    const json_t *counters = json_object_get(answer, "counters");
    lpu_counters c = {0};

    for (size_t i = 0; i < LPU_COUNTERS; i++) {
        lpu_counter_set(&c, i, (uint64_t)lpu_verify_number(counters, lpu_counter_row(i)->name));
    }
    a->tokens += tokens;
    a->cycles += (uint64_t)lpu_verify_number(answer, "cycles");
    lpu_counters_add(&a->counters, &c, 1);
}

static lpu_status run_rtl(void *state, const int32_t *tokens, size_t count, int32_t *next,
                          lpu_diag *diag)
{
    server *s = state;
    const lpu_phase phase = count == 1 && s->position ? LPU_PHASE_DECODE : LPU_PHASE_PREFILL;
    json_t *answer;

    for (size_t i = 0; i < count; i++) fprintf(s->to, "%s%d", i ? "," : "", tokens[i]);
    fprintf(s->to, "\n");
    fflush(s->to);
    const lpu_status status = hear(s, &answer, diag);
    if (status) return status;
    *next = (int32_t)lpu_verify_number(answer, "next");
    s->position += (uint32_t)count;
    account(&s->accounts[phase], answer, count);
    json_decref(answer);
    return LPU_OK;
}

static const lpu_session_account *account_rtl(const void *state, lpu_phase phase)
{
    return &((const server *)state)->accounts[phase];
}

const lpu_backend lpu_backend_rtl = {.name = "rtl",
                                     .text = "the Verilated RTL, beside the machine",
                                     .is_modelled = true,
                                     .has_trits = true,
                                     .open = open_rtl,
                                     .close = close_rtl,
                                     .rewind = rewind_rtl,
                                     .run = run_rtl,
                                     .account_of = account_rtl};
