/* cli/verify_array.c - is this array's RTL what the definition and the golden model say? */
#include "cli/verify.h"

#include "cli/report_run.h"

#include "sim/array_cases.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How rtl/verify/verify.sh ends; the first two with a verdict. */
enum { ENDED_EQUAL, ENDED_UNEQUAL, ENDED_NO_VERILATOR = 3, ENDED_NO_BUILD, ENDED_NO_FIT };

enum { WORD_BYTES = 32, STALL_CYCLES = 10000, STALL_PER_LANE = 16 };

typedef struct verify {
    const lpu_verify_options *options;
    lpu_array_config config;
    char rtl[PATH_MAX]; /* absolute */
    lpu_verify_work work;
    json_t *answer;
} verify;

/* ---- the run ---- */

/* One sentence from how the script ended without a verdict; the log stays. */
static lpu_status explain_end(verify *v, int state, lpu_diag *diag)
{
    const char *name = v->options->top;
    char said[LPU_VERIFY_PATH_BYTES + 8], log[LPU_VERIFY_PATH_BYTES + 8], line[200];

    snprintf(said, sizeof(said), "%s/said", v->work.folder);
    snprintf(log, sizeof(log), "%s/log", v->work.folder);
    lpu_verify_read_line(said, "", line, sizeof(line));
    const int code = WIFEXITED(state) ? WEXITSTATUS(state) : 0;
    if (code == ENDED_NO_VERILATOR) return lpu_verify_no_verilator(diag);
    v->work.is_kept = true;
    if (code == ENDED_NO_BUILD) {
        return lpu_fail(diag, LPU_ERR_FORMAT, "the Verilog does not compile: %s; log: %s", line,
                        log);
    }
    if (code == ENDED_NO_FIT) {
        return lpu_fail(diag, LPU_ERR_FORMAT,
                        "%s does not have the ports of rtl/README.md: %s; log: %s", name, line,
                        log);
    }
    if (code) {
        return lpu_fail(diag, LPU_ERR_IO, "the harness does not build or run: %s; log: %s", line,
                        log);
    }
    lpu_verify_read_line(log, "%Error", line, sizeof(line));
    if (WTERMSIG(state) == SIGALRM) {
        return lpu_fail(diag, LPU_ERR_TIMEOUT,
                        "%s hangs: 256 clocks were not evaluated within a minute; log: %s", name,
                        log);
    }
    return lpu_fail(diag, LPU_ERR_FORMAT, "%s stopped the simulation: %s; log: %s", name, line,
                    log);
}

static lpu_status run(verify *v, lpu_diag *diag)
{
    const lpu_verify_options *o = v->options;
    const lpu_array_config *c = &v->config;
    const uint64_t stall = o->stall_cycles
                               ? o->stall_cycles
                               : STALL_CYCLES + (uint64_t)STALL_PER_LANE * c->rows * c->cols;
    const uint64_t numbers[] = {c->rows,       c->cols,      c->lines, (uint64_t)c->code,
                                c->passes_max, c->out_lanes, o->seed,  o->cycles,
                                stall,         o->is_exact};
    enum { NUMBERS = sizeof(numbers) / sizeof(numbers[0]) };
    char words[NUMBERS][WORD_BYTES];
    char script[LPU_VERIFY_PATH_BYTES], verdict[LPU_VERIFY_PATH_BYTES + 8],
        said[LPU_VERIFY_PATH_BYTES + 8];
    const char *argv[4 + NUMBERS + 1] = {script, v->work.folder, v->rtl, o->top};
    json_error_t error;
    pid_t pid;
    int state = 0;

    for (size_t i = 0; i < NUMBERS; i++) {
        snprintf(words[i], sizeof(words[i]), "%llu", (unsigned long long)numbers[i]);
        argv[4 + i] = words[i];
    }
    snprintf(script, sizeof(script), "%s/rtl/verify/verify.sh", lpu_array_options_home());
    snprintf(verdict, sizeof(verdict), "%s/verdict", v->work.folder);
    snprintf(said, sizeof(said), "%s/said", v->work.folder);
    if (access(script, X_OK)) {
        return lpu_fail(diag, LPU_ERR_IO, "%s: cannot be run: %s (LPU_HOME names the sources)",
                        script, strerror(errno));
    }
    const lpu_status status = lpu_report_spawn(&pid, argv, verdict, said, diag);
    if (status) return status;
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR) continue;
    if (!WIFEXITED(state) || WEXITSTATUS(state) > ENDED_UNEQUAL) return explain_end(v, state, diag);
    v->answer = json_load_file(verdict, 0, &error);
    if (v->answer) return LPU_OK;
    v->work.is_kept = true;
    return lpu_fail(diag, LPU_ERR_FORMAT, "%s: the verdict is no JSON: %s", verdict, error.text);
}

/* ---- the verdict ---- */

static bool is_equal(const verify *v)
{
    return !strcmp(lpu_verify_text(v->answer, "kind"), "equal");
}

static void print_cases(const verify *v)
{
    static const char *const heads[] = {"case", "cycles", "golden model"};
    lpu_table *t = lpu_table_open(3, heads);
    size_t i;
    const json_t *row;

    json_array_foreach(json_object_get(v->answer, "cases"), i, row)
    {
        lpu_table_cell(t, "%s", lpu_verify_text(row, "name"));
        lpu_table_cell(t, "%lld", lpu_verify_number(row, "cycles"));
        lpu_table_cell(t, "%lld", lpu_verify_number(row, "model_cycles"));
    }
    if (i) lpu_table_print(t, stdout);
    lpu_table_close(&t);
}

static void print_equal(const verify *v)
{
    const json_t *a = v->answer;
    const double cycles = (double)lpu_verify_number(a, "cycles"),
                 model = (double)lpu_verify_number(a, "model_cycles");

    printf("equal: %lld sums of %lld vectors in %lld runs of %lld cases; seed %lld\n",
           lpu_verify_number(a, "sums"), lpu_verify_number(a, "passes"),
           lpu_verify_number(a, "runs"), lpu_verify_number(a, "case_count"),
           lpu_verify_number(a, "seed"));
    if (!*lpu_verify_text(a, "cycle_difference")) {
        printf("cycles: every word moved in the cycle of the golden model\n");
        return;
    }
    printf("cycles (not judged): %.2f times those of the golden model; first difference in %s\n",
           model > 0 ? cycles / model : 0, lpu_verify_text(a, "cycle_difference"));
}

static void print_fault(const verify *v)
{
    static const struct {
        const char *kind, *text;
    } kinds[] = {
        {"value", "a sum is wrong"},
        {"protocol", "a handshake is broken"},
        {"stuck", "the array hangs"},
        {"finish", "the simulation ended itself"},
        {"cycles", "values are equal, cycles are not"},
        {"model", "the golden model is at fault, not the array"},
    };
    const json_t *fault = json_object_get(v->answer, "fault");
    const char *name = lpu_verify_text(fault, "case"), *kind = lpu_verify_text(v->answer, "kind");

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (!strcmp(kinds[i].kind, kind)) printf("differs: %s\n", kinds[i].text);
    printf("  case    %s", name);
    for (const lpu_array_case *c = lpu_array_cases; c->name; c++)
        if (!strcmp(c->name, name)) printf(" (%s)", c->text);
    printf("\n  streams %s\n", lpu_verify_text(fault, "pace"));
    printf("  cycle   %lld of the run, seed %lld\n", lpu_verify_number(fault, "cycle"),
           lpu_verify_number(v->answer, "seed"));
    printf("  found   %s\n", lpu_verify_text(fault, "text"));
}

static void print_verdict(const verify *v)
{
    const lpu_verify_options *o = v->options;

    printf("%s: %u x %u, %s, %u line%s a beat, %u passes, %u lanes\n", o->top, v->config.rows,
           v->config.cols, o->array.code, v->config.lines, v->config.lines == 1 ? "" : "s",
           v->config.passes_max, v->config.out_lanes);
    print_cases(v);
    if (is_equal(v)) print_equal(v);
    else print_fault(v);
}

static void print_json(verify *v)
{
    json_object_set_new(v->answer, "top", json_string(v->options->top));
    json_object_set_new(v->answer, "rtl", json_string(v->rtl));
    json_object_set_new(v->answer, "equal", json_boolean(is_equal(v)));
    lpu_cli_print_json(json_incref(v->answer));
}

static lpu_status check(verify *v, lpu_diag *diag)
{
    lpu_status status = lpu_array_options_read(&v->options->array, &v->config, diag);
    if (!status) status = lpu_verify_check_top(v->options->top, diag);
    if (!status) status = lpu_verify_check_rtl(v->rtl, v->options->rtl, diag);
    return status;
}

int lpu_verify_array(const lpu_usage *usage, const lpu_verify_options *o)
{
    lpu_diag diag = {""};
    verify v = {.options = o};
    lpu_status status = check(&v, &diag);

    if (status) {
        lpu_cli_fail(usage, &diag);
        return LPU_EXIT_USAGE;
    }
    status = lpu_verify_open_work(&v.work, o->build, &diag);
    if (!status) status = run(&v, &diag);
    if (!status) (o->is_json ? print_json(&v) : print_verdict(&v));
    const int exit_code = status         ? lpu_cli_fail(usage, &diag)
                          : is_equal(&v) ? LPU_EXIT_OK
                                         : LPU_EXIT_FAILED;
    json_decref(v.answer);
    lpu_verify_close_work(&v.work);
    return exit_code;
}
