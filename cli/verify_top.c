/* cli/verify_top.c - whole programs on the RTL of an LPU and on the golden machine: in a harness
 * around the one, or both in platforms of SystemC. */
#include "cli/verify.h"

#include "cli/report_run.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How the harness ends. */
enum { ENDED_EQUAL, ENDED_UNEQUAL, ENDED_REFUSED };

enum {
    WORDS_MAX = 32,
    WORD_BYTES = LPU_VERIFY_PATH_BYTES + 16,
    WINDOW_BEFORE_CLOCKS = 200, /* of the waveform, around the first difference */
    WINDOW_AFTER_CLOCKS = 20,
};

static const char *const default_design = "tests/top/designs/small-16x20.yaml";
static const char *const default_model = "tests/top/models/grouped.yaml";

typedef struct verify {
    const lpu_verify_options *options;
    const char *top;
    lpu_design design;
    char design_path[LPU_VERIFY_PATH_BYTES], model_path[LPU_VERIFY_PATH_BYTES];
    char rtl[PATH_MAX];
    lpu_verify_work work;
    char waveform[LPU_VERIFY_PATH_BYTES + 32]; /* "" without one */
    json_t *answer;
} verify;

/* ---- the run ---- */

static lpu_status check(verify *v, lpu_diag *diag)
{
    const lpu_verify_options *o = v->options;
    const char *home = lpu_array_options_home();
    char rtl[LPU_VERIFY_PATH_BYTES];

    if (o->phase && strcmp(o->phase, "both") && strcmp(o->phase, "prefill") &&
        strcmp(o->phase, "decode")) {
        return lpu_fail(diag, LPU_ERR_RANGE, "found --phase %s, expected prefill, decode or both",
                        o->phase);
    }
    if (!o->batch || o->stalls > 255) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found --batch %u and --stalls %u, expected at least 1 and at most 255",
                        o->batch, o->stalls);
    }
    if (o->harness && strcmp(o->harness, "speed") && strcmp(o->harness, "trace") &&
        strcmp(o->harness, "coverage")) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found --harness %s, expected speed, trace or coverage", o->harness);
    }
    v->top = o->top ? o->top : "lpu_top";
    snprintf(rtl, sizeof(rtl), "%s/rtl", home);
    snprintf(v->design_path, sizeof(v->design_path), "%s%s%s", o->design ? "" : home,
             o->design ? "" : "/", o->design ? o->design : default_design);
    snprintf(v->model_path, sizeof(v->model_path), "%s%s%s", o->model ? "" : home,
             o->model ? "" : "/", o->model ? o->model : default_model);
    lpu_status status = lpu_design_load(&v->design, v->design_path, diag);
    if (!status) status = lpu_verify_check_design(&v->design, diag);
    if (!status) status = lpu_verify_check_top(v->top, diag);
    if (!status) status = lpu_verify_check_rtl(v->rtl, o->rtl ? o->rtl : rtl, diag);
    return status;
}

/* The harness's words, one behind the other. */
typedef struct words {
    char text[WORDS_MAX][WORD_BYTES];
    const char *argv[WORDS_MAX + 1];
    size_t count;
} words;

__attribute__((format(printf, 2, 3))) static void add(words *w, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(w->text[w->count], WORD_BYTES, format, list);
    va_end(list);
    w->argv[w->count] = w->text[w->count];
    w->argv[++w->count] = NULL;
}

static void add_work(const verify *v, words *w)
{
    const lpu_verify_options *o = v->options;
    const bool is_decode = o->phase && !strcmp(o->phase, "decode");
    const bool is_prefill = o->phase && !strcmp(o->phase, "prefill");

    add(w, "design=%s", v->design_path);
    add(w, "seed=%u", o->seed);
    add(w, "folder=%s", v->work.folder);
    if (o->stalls) add(w, "stalls=%u", o->stalls);
    if (o->shape) add(w, "shape=%s", o->shape);
    if (o->random) add(w, "random=%u", o->random);
    if (o->faults) add(w, "faults=%u", o->faults);
    if (o->shape || o->random || o->faults) {
        add(w, "operations=%u", o->operations);
        return;
    }
    add(w, "model=%s", v->model_path);
    add(w, "tokens=%u", is_decode ? 0 : o->tokens);
    add(w, "decode=%u", is_prefill ? 0 : o->decode);
    add(w, "context=%u", o->context);
    add(w, "batch=%u", o->batch);
}

/* Runs the harness; the answer is JSON in the folder. */
static lpu_status run_program(verify *v, const char *program, const words *more, lpu_diag *diag)
{
    words *w = calloc(1, sizeof(*w));
    char answer[WORD_BYTES], log[WORD_BYTES], line[300];
    json_error_t error;
    pid_t pid;

    if (!w) return lpu_fail(diag, LPU_ERR_MEMORY, "out of memory");
    snprintf(answer, sizeof(answer), "%s/verdict", v->work.folder);
    snprintf(log, sizeof(log), "%s/log", v->work.folder);
    add(w, "sh");
    add(w, "-c");
    add(w, "exec \"$@\" 3>&1 1>&2");
    add(w, "sh");
    add(w, "%s", program);
    add_work(v, w);
    for (size_t i = 0; more && i < more->count; i++) add(w, "%s", more->text[i]);
    const lpu_status status = lpu_report_spawn(&pid, w->argv, answer, log, diag);
    free(w);
    if (status) return status;
    const int state = lpu_verify_wait(pid);
    json_decref(v->answer);
    v->answer = json_load_file(answer, 0, &error);
    if (WIFEXITED(state) && WEXITSTATUS(state) == ENDED_REFUSED && v->answer) {
        return lpu_fail(diag, LPU_ERR_RANGE, "%s", lpu_verify_text(v->answer, "text"));
    }
    if (WIFEXITED(state) && WEXITSTATUS(state) <= ENDED_UNEQUAL && v->answer) return LPU_OK;
    v->work.is_kept = true;
    lpu_verify_read_line(log, "", line, sizeof(line));
    return lpu_fail(diag, LPU_ERR_IO, "the harness ended without a verdict: %s; log: %s", line,
                    log);
}

static bool is_equal(const verify *v)
{
    return !strcmp(lpu_verify_text(v->answer, "kind"), "equal");
}

/* The same run again, with a waveform of the clocks around the first difference. */
static lpu_status trace_window(verify *v, lpu_diag *diag)
{
    const long long clock = lpu_verify_number(json_object_get(v->answer, "difference"), "clock");
    const long long from = clock > WINDOW_BEFORE_CLOCKS ? clock - WINDOW_BEFORE_CLOCKS : 0;
    char program[LPU_VERIFY_PATH_BYTES];
    words *more = calloc(1, sizeof(*more));

    if (!more) return lpu_fail(diag, LPU_ERR_MEMORY, "out of memory");
    snprintf(v->waveform, sizeof(v->waveform), "%s/difference.fst", v->work.folder);
    add(more, "trace=%s", v->waveform);
    add(more, "from=%lld", from);
    add(more, "to=%lld", clock + WINDOW_AFTER_CLOCKS);
    lpu_status status =
        lpu_verify_build_top(program, &v->work, &v->design, v->rtl, v->top, "trace", diag);
    if (!status) status = run_program(v, program, more, diag);
    free(more);
    v->work.is_kept = true;
    if (status || access(v->waveform, R_OK)) v->waveform[0] = 0;
    return status;
}

/* ---- the verdict ---- */

static const char *rate(char *buffer, double cycles, double seconds)
{
    return lpu_cli_si(buffer, seconds > 0 ? cycles / seconds : 0, "cycles/s");
}

static void print_programs(const verify *v)
{
    static const char *const heads[] = {"inside", "program", "instructions", "cycles",
                                        "events", "writes",  "counters",     "differences"};
    static const char *const keys[] = {"instructions", "cycles", "events", "writes", "counters"};
    const bool is_systemc = v->options->is_systemc;
    const size_t first = is_systemc ? 0 : 1;
    lpu_table *t = lpu_table_open(sizeof(heads) / sizeof(heads[0]) - first, heads + first);
    const json_t *programs = json_object_get(v->answer, "programs");
    double cycles = 0, rtl_s = 0, stepping_s = 0, skipping_s = 0;
    char text[3][32];
    size_t i;
    const json_t *row;

    json_array_foreach(programs, i, row)
    {
        if (is_systemc) lpu_table_cell(t, "%s", lpu_verify_text(row, "inside"));
        lpu_table_cell(t, "%s", lpu_verify_text(row, "name"));
        for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
            lpu_table_cell(t, "%lld", lpu_verify_number(row, keys[k]));
        }
        lpu_table_cell(t, "%s", json_is_true(json_object_get(row, "differs")) ? "found" : "0");
        cycles += (double)lpu_verify_number(row, "cycles");
        rtl_s += json_real_value(json_object_get(row, "rtl_s"));
        stepping_s += json_real_value(json_object_get(row, "stepping_s"));
        skipping_s += json_real_value(json_object_get(row, "skipping_s"));
    }
    lpu_table_print(t, stdout);
    lpu_table_close(&t);
    if (!is_equal(v) || rtl_s <= 0 || stepping_s <= 0) return;
    printf("\nspeed: RTL %s, simulator stepping %s (%.0f times), skipping %s\n",
           rate(text[0], cycles, rtl_s), rate(text[1], cycles, stepping_s), rtl_s / stepping_s,
           rate(text[2], cycles, skipping_s));
}

/* What the first column of the table means. */
static void print_insides(void)
{
    printf(
        "in SystemC, against the simulator alone:\n"
        "  rtl     the RTL, Verilated, behind an AXI-to-TLM transactor\n"
        "  cycles  the simulator in C, cycle timed\n"
        "  loose   the simulator in C, loosely timed: memory is compared, there are no writes\n");
}

static void print_verdict(const verify *v)
{
    const json_t *d = json_object_get(v->answer, "difference");
    const bool is_systemc = v->options->is_systemc;

    printf("%s on %s: %u x %u lanes, bus of %u bytes, seed %u\n", v->top, v->design.name,
           v->design.rows, v->design.cols, v->design.bus_bytes_per_cycle, v->options->seed);
    if (is_systemc) print_insides();
    printf("\n");
    print_programs(v);
    if (is_equal(v)) {
        printf("%sequal: every write, issue, retirement, cycle and counter\n",
               is_systemc ? "\n" : "");
        return;
    }
    printf("\ndiffers: %s%s%s\n", is_systemc ? lpu_verify_text(d, "inside") : "",
           is_systemc ? ": " : "", lpu_verify_text(d, "signal"));
    printf("  where     %s\n", lpu_verify_text(d, "where"));
    if (json_object_get(d, "cycle")) {
        printf("  cycle     %lld of segment %lld\n", lpu_verify_number(d, "cycle"),
               lpu_verify_number(d, "segment"));
    }
    printf("  expected  %s\n", lpu_verify_text(d, "expected"));
    printf("  found     %s\n", lpu_verify_text(d, "found"));
    if (v->waveform[0]) printf("  waveform  %s\n", v->waveform);
}

static void print_json(verify *v)
{
    json_object_set_new(v->answer, "platform",
                        json_string(v->options->is_systemc ? "systemc" : "verilator"));
    json_object_set_new(v->answer, "top", json_string(v->top));
    json_object_set_new(v->answer, "rtl", json_string(v->rtl));
    json_object_set_new(v->answer, "equal", json_boolean(is_equal(v)));
    if (v->waveform[0]) json_object_set_new(v->answer, "waveform", json_string(v->waveform));
    lpu_cli_print_json(json_incref(v->answer));
}

/* Builds, runs, looks again where something differs, and prints. */
static lpu_status judge(verify *v, lpu_diag *diag)
{
    const lpu_verify_options *o = v->options;
    char program[LPU_VERIFY_PATH_BYTES];
    lpu_status status =
        o->is_systemc
            ? lpu_verify_build_systemc(program, &v->work, &v->design, v->rtl, v->top, diag)
            : lpu_verify_build_top(program, &v->work, &v->design, v->rtl, v->top,
                                   o->harness ? o->harness : "speed", diag);

    if (!status && o->harness) printf("%s\n", program);
    if (status || o->harness) return status;
    status = run_program(v, program, NULL, diag);
    if (!status && !is_equal(v) && !o->has_no_waveform && !o->is_systemc)
        status = trace_window(v, diag);
    if (!status) (o->is_json ? print_json(v) : print_verdict(v));
    return status;
}

int lpu_verify_top(const lpu_usage *usage, const lpu_verify_options *o)
{
    lpu_diag diag = {""};
    verify v = {.options = o};
    lpu_status status = check(&v, &diag);

    if (status) {
        lpu_cli_fail(usage, &diag);
        return LPU_EXIT_USAGE;
    }
    status = lpu_verify_open_work(&v.work, o->build, &diag);
    if (!status) status = judge(&v, &diag);
    const bool is_good = !status && (o->harness || is_equal(&v));
    if (status) lpu_cli_fail(usage, &diag);
    json_decref(v.answer);
    lpu_verify_close_work(&v.work);
    return is_good ? LPU_EXIT_OK : LPU_EXIT_FAILED;
}
