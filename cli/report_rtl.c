/* cli/report_rtl.c - runs the RTL harness on matrices of the model and reads what it found. */
#include "cli/report_measure.h"
#include "cli/report_run.h"
#include "cli/report_table.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One run of the harness, as it answers. */
typedef struct answer {
    json_int_t array_rows, array_cols, rows_done, tiles, macs, rtl_cycles, sim_cycles, differences;
    double cycles_per_s;
} answer;

/* The harness lies in the folder of this program. */
static bool find_harness(char *path, size_t bytes)
{
    static const char name[] = "/lpu_rtl_array";
    const ssize_t n = readlink("/proc/self/exe", path, bytes - sizeof(name));

    if (n <= 0) return false;
    path[n] = 0;
    char *slash = strrchr(path, '/');
    if (!slash) return false;
    memcpy(slash, name, sizeof(name));
    return !access(path, X_OK);
}

static lpu_status read_answer(answer *a, const char *path, lpu_diag *diag)
{
    json_error_t error;
    json_t *o = json_load_file(path, 0, &error);

    if (!o) {
        return lpu_fail(diag, LPU_ERR_FORMAT, "lpu_rtl_array: its answer is no JSON: %s",
                        error.text);
    }
    const int failed = json_unpack_ex(
        o, &error, 0, "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:F}", "array_rows", &a->array_rows,
        "array_cols", &a->array_cols, "rows_done", &a->rows_done, "tiles", &a->tiles, "macs",
        &a->macs, "cycles_rtl", &a->rtl_cycles, "cycles_sim", &a->sim_cycles, "differences",
        &a->differences, "rtl_cycles_per_s", &a->cycles_per_s);
    json_decref(o);
    if (!failed) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_FORMAT, "lpu_rtl_array: its answer lacks a value: %s",
                    error.text);
}

/* Runs the harness once on (rows, cols) x tokens, for about max_cycles clocks. */
static lpu_status run(const lpu_report_rtl *rtl, answer *a, uint32_t rows, uint32_t cols,
                      uint32_t tokens, double max_cycles, lpu_diag *diag)
{
    const long id = (long)getpid();
    char texts[4][32], said[4200], errors[4200];
    pid_t pid;

    snprintf(texts[0], sizeof(texts[0]), "%u", rows);
    snprintf(texts[1], sizeof(texts[1]), "%u", cols);
    snprintf(texts[2], sizeof(texts[2]), "%u", tokens);
    snprintf(texts[3], sizeof(texts[3]), "%.0f", max_cycles < 1 ? 1 : max_cycles);
    snprintf(said, sizeof(said), "%s/tables/.rtl-%ld.json", rtl->out, id);
    snprintf(errors, sizeof(errors), "%s/tables/.rtl-%ld.log", rtl->out, id);
    const char *const argv[] = {rtl->program, "--rows",   texts[0], "--cols",
                                texts[1],     "--tokens", texts[2], "--max-cycles",
                                texts[3],     "--json",   NULL};
    lpu_status status = lpu_report_spawn(&pid, argv, said, errors, diag);
    if (!status) status = lpu_report_wait(pid, "lpu_rtl_array", errors, diag);
    if (!status) status = read_answer(a, said, diag);
    unlink(said);
    unlink(errors);
    return status;
}

static void put_row(lpu_report_writer *w, const char *matrix, const answer *a, uint32_t rows,
                    uint32_t cols, uint32_t tokens)
{
    char array[64];

    snprintf(array, sizeof(array), "%d x %d", (int)a->array_rows, (int)a->array_cols);
    lpu_report_text(w, matrix);
    lpu_report_text(w, array);
    lpu_report_number(w, rows);
    lpu_report_number(w, cols);
    lpu_report_number(w, tokens);
    lpu_report_number(w, (double)a->rows_done);
    lpu_report_number(w, (double)a->tiles);
    lpu_report_number(w, (double)a->macs);
    lpu_report_number(w, (double)a->rtl_cycles);
    lpu_report_number(w, (double)a->sim_cycles);
    lpu_report_number(w, (double)a->differences);
    lpu_report_number(w, a->cycles_per_s);
}

static lpu_status run_all(lpu_report_rtl *rtl, lpu_report_writer *w)
{
    const lpu_model *m = rtl->model;
    const uint32_t q = m->heads * m->head_elems, kv = m->kv_heads * m->head_elems;
    const struct {
        const char *name;
        uint32_t rows, cols, tokens;
    } cases[] = {
        {"k_proj, decode", kv, m->hidden_elems, 1},
        {"q_proj, decode", q, m->hidden_elems, 1},
        {"up_proj, decode", m->ffn_elems, m->hidden_elems, 1},
        {"down_proj, decode", m->hidden_elems, m->ffn_elems, 1},
        {"q_proj, prefill of 64", q, m->hidden_elems, 64},
    };
    enum { CASES = sizeof(cases) / sizeof(cases[0]), FIRST_CYCLES = 2000 };
    double max_cycles = FIRST_CYCLES;

    for (size_t i = 0; i < CASES; i++) {
        answer a = {0};
        const lpu_status status =
            run(rtl, &a, cases[i].rows, cases[i].cols, cases[i].tokens, max_cycles, &rtl->diag);
        if (status) return status;
        if (a.rtl_cycles != a.sim_cycles) {
            return lpu_fail(&rtl->diag, LPU_ERR_FORMAT,
                            "lpu_rtl_array: %s takes %lld clocks in the RTL and %lld in the "
                            "simulator, expected the same",
                            cases[i].name, (long long)a.rtl_cycles, (long long)a.sim_cycles);
        }
        put_row(w, cases[i].name, &a, cases[i].rows, cases[i].cols, cases[i].tokens);
        rtl->cycles += (uint64_t)a.rtl_cycles;
        rtl->differences += (uint64_t)a.differences;
        max_cycles = a.cycles_per_s * rtl->budget_s / CASES;
    }
    return LPU_OK;
}

static void *work(void *user)
{
    lpu_report_rtl *rtl = user;
    lpu_report_writer w;

    rtl->status = lpu_report_writer_open(&w, rtl->out, LPU_REPORT_rtl, &rtl->diag);
    if (rtl->status) return NULL;
    if (!rtl->is_absent) rtl->status = run_all(rtl, &w);
    if (!rtl->status) rtl->status = lpu_report_writer_commit(&w, &rtl->diag);
    lpu_report_writer_close(&w);
    return NULL;
}

lpu_status lpu_report_rtl_start(lpu_report_rtl *rtl, const lpu_model *model, const char *out,
                                double budget_s, lpu_diag *diag)
{
    *rtl = (lpu_report_rtl){.model = model, .out = out, .budget_s = budget_s};
    rtl->is_absent = !find_harness(rtl->program, sizeof(rtl->program));
    if (pthread_create(&rtl->thread, NULL, work, rtl)) {
        return lpu_fail(diag, LPU_ERR_MEMORY, "report: no thread can be started");
    }
    rtl->is_started = true;
    return LPU_OK;
}

lpu_status lpu_report_rtl_finish(lpu_report_rtl *rtl, lpu_diag *diag)
{
    if (!rtl->is_started) return LPU_OK;
    pthread_join(rtl->thread, NULL);
    rtl->is_started = false;
    if (rtl->status && diag) *diag = rtl->diag;
    return rtl->status;
}
