/* cli/verify.c - lpu verify: is this array's RTL what the definition and the golden model say? */
#define _GNU_SOURCE /* nftw */

#include "cli/array_options.h"
#include "cli/report_run.h"

#include "sim/array_cases.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* How rtl/verify/verify.sh ends; the first two with a verdict. */
enum { ENDED_EQUAL, ENDED_UNEQUAL, ENDED_NO_VERILATOR = 3, ENDED_NO_BUILD, ENDED_NO_FIT };

enum { PATH_BYTES = 4096, WORD_BYTES = 32, STALL_CYCLES = 10000, STALL_PER_LANE = 16 };

typedef struct options {
    lpu_array_options array;
    const char *rtl, *top, *build;
    uint32_t seed, cycles, stall_cycles;
    bool is_array, is_exact, is_json;
} options;

typedef struct verify {
    const options *options;
    lpu_array_config config;
    char rtl[PATH_BYTES];  /* absolute */
    char work[PATH_BYTES]; /* the folder of this run */
    json_t *answer;
    bool is_kept; /* the folder stays: its log is named in a message */
} verify;

/* ---- the command line ---- */

static lpu_status check_top(const char *top, lpu_diag *diag)
{
    size_t n = 0;

    while (top && (isalnum((unsigned char)top[n]) || top[n] == '_')) n++;
    if (n && !top[n] && !isdigit((unsigned char)*top)) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_RANGE, "found --top %s, expected the name of a Verilog module",
                    top ? top : "nowhere");
}

static bool ends_in(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);
    return n > m && !strcmp(name + n - m, end);
}

static lpu_status check_rtl(verify *v, lpu_diag *diag)
{
    const char *path = v->options->rtl;
    bool has_verilog = false;

    if (!path) {
        return lpu_fail(diag, LPU_ERR_RANGE, "found no --rtl, expected a folder of Verilog files");
    }
    DIR *dir = opendir(path);
    if (!dir || !realpath(path, v->rtl)) {
        const int error = errno;
        if (dir) closedir(dir);
        return lpu_fail(diag, LPU_ERR_IO, "%s: cannot open the folder: %s", path, strerror(error));
    }
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        if (ends_in(entry->d_name, ".v") || ends_in(entry->d_name, ".sv")) has_verilog = true;
    }
    closedir(dir);
    if (has_verilog) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_IO, "%s: found no file *.v or *.sv in the folder", path);
}

static lpu_status check(verify *v, lpu_diag *diag)
{
    if (!v->options->is_array) {
        return lpu_fail(diag, LPU_ERR_RANGE, "found nothing to verify, expected --array");
    }
    lpu_status status = lpu_array_options_read(&v->options->array, &v->config, diag);
    if (!status) status = check_top(v->options->top, diag);
    if (!status) status = check_rtl(v, diag);
    return status;
}

/* ---- the folder of the run ---- */

static bool make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0777);
        *slash = '/';
    }
    return !mkdir(path, 0777) || errno == EEXIST;
}

/* A new folder in --build, else in the sources' build folder, else in the temporary one. */
static lpu_status open_work(verify *v, lpu_diag *diag)
{
    const char *temporary = getenv("TMPDIR");
    char paths[2][PATH_BYTES - WORD_BYTES], path[PATH_MAX];
    const char *build = v->options->build;
    const size_t bytes = sizeof(paths[0]);

    snprintf(paths[0], bytes, "%s%s", build ? build : lpu_array_options_home(),
             build ? "" : "/build/verify");
    snprintf(paths[1], bytes, "%s/lpu-verify-%ld", temporary ? temporary : "/tmp", (long)getuid());
    for (size_t i = 0; i < (build ? 1 : 2); i++) {
        if (!make_folders(paths[i]) || !realpath(paths[i], path)) continue;
        if (strlen(path) > bytes - 1) continue;
        snprintf(v->work, sizeof(v->work), "%.*s/run-XXXXXX", (int)bytes, path);
        if (mkdtemp(v->work)) return LPU_OK;
    }
    v->work[0] = 0;
    return lpu_fail(diag, LPU_ERR_IO, "%s: no folder can be made there: %s", paths[build ? 0 : 1],
                    strerror(errno));
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

static void close_work(verify *v)
{
    enum { DESCRIPTORS = 8 };
    json_decref(v->answer);
    if (v->work[0] && !v->is_kept) nftw(v->work, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

/* ---- the run ---- */

/* The first line of a file that begins with start ("" for any), else its last; "" without one. */
static void read_line(const char *path, const char *start, char *line, size_t bytes)
{
    FILE *f = fopen(path, "r");
    char next[512];
    bool is_found = false;

    line[0] = 0;
    while (f && !is_found && fgets(next, sizeof(next), f)) {
        next[strcspn(next, "\n")] = 0;
        if (!next[0]) continue;
        snprintf(line, bytes, "%.*s", (int)bytes - 1, next);
        is_found = !strncmp(next, start, strlen(start));
    }
    if (f) fclose(f);
}

/* One sentence from how the script ended without a verdict; the log stays. */
static lpu_status explain_end(verify *v, int state, lpu_diag *diag)
{
    const char *name = v->options->top;
    char said[PATH_BYTES + 8], log[PATH_BYTES + 8], line[200];

    snprintf(said, sizeof(said), "%s/said", v->work);
    snprintf(log, sizeof(log), "%s/log", v->work);
    read_line(said, "", line, sizeof(line));
    const int code = WIFEXITED(state) ? WEXITSTATUS(state) : 0;
    if (code == ENDED_NO_VERILATOR) {
        return lpu_fail(diag, LPU_ERR_IO,
                        "verilator is not installed, and no array can be run without it; on "
                        "Debian: apt-get install verilator g++ make");
    }
    v->is_kept = true;
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
    read_line(log, "%Error", line, sizeof(line));
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
    const options *o = v->options;
    const lpu_array_config *c = &v->config;
    const uint64_t stall = o->stall_cycles
                               ? o->stall_cycles
                               : STALL_CYCLES + (uint64_t)STALL_PER_LANE * c->rows * c->cols;
    const uint64_t numbers[] = {c->rows,       c->cols,      c->lines, (uint64_t)c->code,
                                c->passes_max, c->out_lanes, o->seed,  o->cycles,
                                stall,         o->is_exact};
    enum { NUMBERS = sizeof(numbers) / sizeof(numbers[0]) };
    char words[NUMBERS][WORD_BYTES];
    char script[PATH_BYTES], verdict[PATH_BYTES + 8], said[PATH_BYTES + 8];
    const char *argv[4 + NUMBERS + 1] = {script, v->work, v->rtl, o->top};
    json_error_t error;
    pid_t pid;
    int state = 0;

    for (size_t i = 0; i < NUMBERS; i++) {
        snprintf(words[i], sizeof(words[i]), "%llu", (unsigned long long)numbers[i]);
        argv[4 + i] = words[i];
    }
    snprintf(script, sizeof(script), "%s/rtl/verify/verify.sh", lpu_array_options_home());
    snprintf(verdict, sizeof(verdict), "%s/verdict", v->work);
    snprintf(said, sizeof(said), "%s/said", v->work);
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
    v->is_kept = true;
    return lpu_fail(diag, LPU_ERR_FORMAT, "%s: the verdict is no JSON: %s", verdict, error.text);
}

/* ---- the verdict ---- */

static long long number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static bool is_equal(const verify *v)
{
    return !strcmp(text_of(v->answer, "kind"), "equal");
}

static void print_cases(const verify *v)
{
    static const char *const heads[] = {"case", "cycles", "golden model"};
    lpu_table *t = lpu_table_open(3, heads);
    size_t i;
    const json_t *row;

    json_array_foreach(json_object_get(v->answer, "cases"), i, row)
    {
        lpu_table_cell(t, "%s", text_of(row, "name"));
        lpu_table_cell(t, "%lld", number_of(row, "cycles"));
        lpu_table_cell(t, "%lld", number_of(row, "model_cycles"));
    }
    if (i) lpu_table_print(t, stdout);
    lpu_table_close(&t);
}

static void print_equal(const verify *v)
{
    const json_t *a = v->answer;
    const double cycles = (double)number_of(a, "cycles"),
                 model = (double)number_of(a, "model_cycles");

    printf("equal: %lld sums of %lld vectors in %lld runs of %lld cases; seed %lld\n",
           number_of(a, "sums"), number_of(a, "passes"), number_of(a, "runs"),
           number_of(a, "case_count"), number_of(a, "seed"));
    if (!*text_of(a, "cycle_difference")) {
        printf("cycles: every word moved in the cycle of the golden model\n");
        return;
    }
    printf("cycles (not judged): %.2f times those of the golden model; first difference in %s\n",
           model > 0 ? cycles / model : 0, text_of(a, "cycle_difference"));
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
    const char *name = text_of(fault, "case"), *kind = text_of(v->answer, "kind");

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (!strcmp(kinds[i].kind, kind)) printf("differs: %s\n", kinds[i].text);
    printf("  case    %s", name);
    for (const lpu_array_case *c = lpu_array_cases; c->name; c++)
        if (!strcmp(c->name, name)) printf(" (%s)", c->text);
    printf("\n  streams %s\n", text_of(fault, "pace"));
    printf("  cycle   %lld of the run, seed %lld\n", number_of(fault, "cycle"),
           number_of(v->answer, "seed"));
    printf("  found   %s\n", text_of(fault, "text"));
}

static void print_verdict(const verify *v)
{
    const options *o = v->options;

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

int lpu_command_verify(int argc, char **argv)
{
    options o = {.array = LPU_ARRAY_OPTIONS_DEFAULT, .seed = 1, .cycles = 100000};
    const lpu_option list[] = {
        {"--array", NULL, "verify an array (rtl/README.md has its ports)", NULL, NULL, &o.is_array},
        {"--rtl", "DIR", "folder whose *.v and *.sv are compiled", &o.rtl, NULL, NULL},
        {"--top", "NAME", "the module", &o.top, NULL, NULL},
        LPU_ARRAY_OPTION_ROWS(o.array),
        {"--seed", "N", "of the random work (1)", NULL, &o.seed, NULL},
        {"--cycles", "N", "of random work, in cycles of the golden model (100000)", NULL, &o.cycles,
         NULL},
        {"--cycle-exact", NULL, "cycles are part of the verdict", NULL, NULL, &o.is_exact},
        {"--stall-cycles", "N", "nothing moving for so long is a hang (10000 + 16 R C)", NULL,
         &o.stall_cycles, NULL},
        {"--build", "DIR", "where to build (build/verify of the sources)", &o.build, NULL, NULL},
        {"--json", NULL, "print the verdict as JSON", NULL, NULL, &o.is_json},
        {0},
    };
    const lpu_usage usage = {
        .name = "verify",
        .text = "judge the RTL of an array against the definition and the golden model",
        .examples = "lpu verify --array --rtl rtl --top lpu_array --cycle-exact\n"
                    "lpu verify --array --rtl rtl/examples --top bit_serial_array --cycles 20000\n",
        .options = list,
    };
    int exit_code;
    lpu_diag diag = {""};
    verify v = {.options = &o};

    if (lpu_cli_parse(&usage, argc, argv, &exit_code), exit_code >= 0) return exit_code;
    lpu_status status = check(&v, &diag);
    if (status) {
        lpu_cli_fail(&usage, &diag);
        return LPU_EXIT_USAGE;
    }
    status = open_work(&v, &diag);
    if (!status) status = run(&v, &diag);
    if (!status) (o.is_json ? print_json(&v) : print_verdict(&v));
    exit_code = status ? lpu_cli_fail(&usage, &diag) : is_equal(&v) ? LPU_EXIT_OK : LPU_EXIT_FAILED;
    close_work(&v);
    return exit_code;
}
