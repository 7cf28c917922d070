/* cli/bench.c - lpu bench: the kernels and whole models on this CPU, ternary beside 4, 8 and 16
 * bits.
 *
 * A figure whose runs lie too far apart is not shown: its cell says "noisy" (null in JSON).
 */
#include "cli/bench.h"

#include "workloads/model.h"
#include "workloads/output.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const layout_titles[LPU_LAYOUTS] = {
    [LPU_LAYOUT_B1] = "1-bit",  [LPU_LAYOUT_T2] = "2-bit", [LPU_LAYOUT_B3] = "1.6-bit",
    [LPU_LAYOUT_I4] = "int4",   [LPU_LAYOUT_I8] = "int8",  [LPU_LAYOUT_F16] = "fp16",
    [LPU_LAYOUT_BF16] = "bf16", [LPU_LAYOUT_Q8] = "Q8_0",  [LPU_LAYOUT_Q4] = "Q4_0",
};

const char *lpu_bench_layout_title(lpu_layout layout)
{
    return layout_titles[layout];
}

double lpu_bench_quoted(const lpu_sample *s, double value)
{
    return lpu_sample_is_noisy(s) ? (double)NAN : value;
}

void lpu_bench_put_si(lpu_table *t, double value, const char *unit)
{
    char text[32];
    lpu_table_cell(t, "%s", isnan(value) ? "noisy" : lpu_cli_si(text, value, unit));
}

void lpu_bench_put_number(lpu_table *t, const char *format, double value)
{
    char text[32];
    snprintf(text, sizeof(text), format, value);
    lpu_table_cell(t, "%s", isnan(value) ? "noisy" : text);
}

void lpu_bench_set_real(json_t *object, const char *key, double value)
{
    json_object_set_new(object, key, isfinite(value) ? json_real(value) : json_null());
}

void lpu_bench_set_peaks(json_t *object, const char *end, const lpu_measure_limits *limits)
{
    char key[64];

    for (lpu_measure_peak p = 0; p < LPU_PEAKS; p++) {
        snprintf(key, sizeof(key), "%s_%s", lpu_measure_peak_name(p), end);
        lpu_bench_set_real(object, key, limits->macs_per_s[p]);
    }
}

void lpu_bench_set_sample(json_t *object, const char *key, const lpu_sample *s)
{
    json_t *o = json_object();
    lpu_bench_set_real(o, "median_ns", s->median_ns);
    lpu_bench_set_real(o, "p10_ns", s->p10_ns);
    lpu_bench_set_real(o, "p90_ns", s->p90_ns);
    json_object_set_new(o, "runs", json_integer(s->runs));
    json_object_set_new(o, "is_noisy", json_boolean(lpu_sample_is_noisy(s)));
    json_object_set_new(object, key, o);
}

void lpu_bench_print_csv_real(FILE *file, double value)
{
    if (isfinite(value)) fprintf(file, "%.6g", value);
}

/* --- the command --- */

typedef struct command {
    const char *model, *types, *tests, *out;
    uint32_t threads, seconds, layers;
    bool is_json, is_csv, has_kernels, has_model, has_libraries;
    lpu_bench_file file; /* of weights, where --model is one */
} command;

static lpu_status run_kernels(lpu_measure *m, const command *c, const lpu_model *model,
                              lpu_diag *diag)
{
    lpu_progress bar;
    if (c->out && mkdir(c->out, 0777) && errno != EEXIST) {
        return lpu_fail(diag, LPU_ERR_IO, "cannot make the directory %s: %s", c->out,
                        strerror(errno));
    }
    lpu_progress_init(&bar, "measuring kernels");
    const lpu_measure_options options = {.model = model,
                                         .threads = c->threads,
                                         .seconds = c->has_model ? 0.7 * c->seconds : c->seconds,
                                         .has_points = true,
                                         .progress = lpu_progress_show,
                                         .user = &bar};
    lpu_status status = lpu_measure_run(m, &options, diag);
    lpu_progress_end(&bar);
    if (status || !c->out) return status;
    return lpu_bench_kernels_save(c->out, m, diag);
}

static lpu_status run_model(lpu_measure_model *m, const command *c, const lpu_model *model,
                            lpu_diag *diag)
{
    lpu_progress bar;
    lpu_progress_init(&bar, "measuring models");
    const lpu_bench_model_options options = {
        .model = model,
        .weights = c->file.weights,
        .layouts = c->types,
        .tests = c->tests,
        .threads = c->threads,
        .layers = c->layers,
        .seconds = c->has_kernels ? c->seconds - c->seconds * 7 / 10 : c->seconds,
        .bar = &bar};
    lpu_status status = lpu_bench_model_run(m, &options, diag);
    lpu_progress_end(&bar);
    return status;
}

static void print(const command *c, const lpu_measure *k, const lpu_measure_model *m,
                  const lpu_measure_library *l, const lpu_model *model)
{
    if (c->is_json) {
        json_t *o = json_object();
        json_object_set_new(o, "model", json_string(model->name));
        if (c->has_kernels) lpu_bench_kernels_json(o, k);
        if (c->has_model) lpu_bench_model_json(o, m);
        if (c->has_libraries) lpu_bench_libraries_json(o, l);
        lpu_cli_print_json(o);
        return;
    }
    if (c->is_csv) {
        if (c->has_kernels) lpu_bench_kernels_csv(stdout, k);
        if (c->has_kernels && c->has_model) printf("\n");
        if (c->has_model) lpu_bench_model_csv(stdout, m, model);
        if (c->has_libraries) lpu_bench_libraries_csv(stdout, l);
        return;
    }
    if (!c->has_libraries) printf("%s\n\n", model->title);
    if (c->has_kernels) lpu_bench_kernels_print(k);
    if (c->has_kernels && c->has_model) printf("\n");
    if (c->has_model) lpu_bench_model_print(m, model);
    if (c->has_libraries) lpu_bench_libraries_print(l);
}

static lpu_status run(const command *c, const lpu_model *model, lpu_diag *diag)
{
    lpu_measure *kernels = calloc(1, sizeof(*kernels));
    lpu_measure_model *passes = calloc(1, sizeof(*passes));
    lpu_measure_library *libraries = calloc(1, sizeof(*libraries));
    lpu_status status = LPU_OK;

    if (!kernels || !passes || !libraries) status = lpu_fail(diag, LPU_ERR_MEMORY, "out of memory");
    if (!status && c->has_kernels) status = run_kernels(kernels, c, model, diag);
    if (!status && c->has_model) status = run_model(passes, c, model, diag);
    if (!status && c->has_libraries) {
        status = lpu_measure_library_run(libraries, c->threads, c->seconds, diag);
    }
    if (!status) print(c, kernels, passes, libraries, model);
    free(libraries);
    free(kernels);
    free(passes);
    return status;
}

int lpu_command_bench(int argc, char **argv)
{
    command c = {.model = "bitnet-b1.58-2b4t", .seconds = 90};
    const lpu_option list[] = {
        {"--model", "NAME", "a shipped model, a YAML, GGUF or packed file (bitnet-b1.58-2b4t)",
         &c.model, NULL, NULL},
        {"--threads", "N", "kernels: 1 and N; model: N (0: all cores)", NULL, &c.threads, NULL},
        {"--seconds", "N", "about how long to measure, beside loading (90)", NULL, &c.seconds,
         NULL},
        {"--types", "LIST", "model: b1, t2, b3, i4, i8, f16, bf16, q8, q4 (f16,q8,q4,t2,b3)",
         &c.types, NULL, NULL},
        {"--tests", "LIST", "model: ppN@DEPTH, tg@DEPTH (pp512,pp128,pp8@512,tg@128,...)", &c.tests,
         NULL, NULL},
        {"--layers", "N", "model: layers to time, scaled up to all (4)", NULL, &c.layers, NULL},
        {"--out", "DIR", "kernels: limits.tsv and points.tsv for reports/bench_kernels.gp", &c.out,
         NULL, NULL},
        {"--json", NULL, "print JSON", NULL, NULL, &c.is_json},
        {"--csv", NULL, "print CSV", NULL, NULL, &c.is_csv},
        {0},
    };
    const lpu_usage usage = {
        .name = "bench",
        .text = "time this CPU: kernels one by one, and a whole model, by format of weights",
        .examples = "lpu bench kernels --seconds 20 --out /tmp/bench\n"
                    "lpu bench model --types f16,b3 --tests pp512,tg@128\n"
                    "lpu bench libraries --threads 1\n"
                    "LPU_CPU=avx2 lpu bench kernels --model bitnet-b1.58-700m\n",
        .options = list,
        .operands = "[kernels | model | libraries]",
    };
    int exit_code;
    lpu_diag diag = {""};
    lpu_model model;

    const int first = lpu_cli_parse(&usage, argc, argv, &exit_code);
    if (exit_code >= 0) return exit_code;
    c.has_kernels = first == argc || !strcmp(argv[first], "kernels");
    c.has_model = first == argc || !strcmp(argv[first], "model");
    c.has_libraries = first < argc && !strcmp(argv[first], "libraries");
    if (first + 1 < argc || (!c.has_kernels && !c.has_model && !c.has_libraries)) {
        (void)lpu_fail(&diag, LPU_ERR_FORMAT,
                       "found \"%s\", expected kernels, model, libraries or nothing",
                       argv[first + 1 < argc ? argc - 1 : first]);
        lpu_cli_fail(&usage, &diag);
        return LPU_EXIT_USAGE;
    }
    if (lpu_bench_file_is(c.model)) {
        if (lpu_bench_file_open(&c.file, c.model, &diag)) return lpu_cli_fail(&usage, &diag);
        model = c.file.weights->model;
    } else if (lpu_model_load(&model, c.model, &diag)) {
        lpu_cli_fail(&usage, &diag);
        return LPU_EXIT_USAGE;
    }
    const lpu_status status = run(&c, &model, &diag);
    lpu_bench_file_close(&c.file);
    return status ? lpu_cli_fail(&usage, &diag) : LPU_EXIT_OK;
}
