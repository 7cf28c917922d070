/* cli/bench_model.c - lpu bench model: whole passes with synthetic weights, in a table like
 * llama-bench's, so that the two can stand side by side. */
#include "cli/bench.h"

#include "kernels/cpu.h"
#include "kernels/packed.h"
#include "kernels/team.h"
#include "workloads/synth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LISTS_MAX = 16, LAYERS_TIMED = 4, KV_TRITS = 5, HEAD_TRITS = 5 };

static const lpu_layout usual_layouts[] = {LPU_LAYOUT_F16, LPU_LAYOUT_Q8, LPU_LAYOUT_Q4,
                                           LPU_LAYOUT_T2, LPU_LAYOUT_B3};

static const lpu_measure_test usual_tests[] = {{512, 0}, {128, 0},  {8, 512},
                                               {1, 128}, {1, 1024}, {1, 3968}};

/* --- lists --- */

/* "f16,b3". */
static lpu_status read_layouts(lpu_layout *layouts, size_t *count, const char *text, lpu_diag *diag)
{
    for (*count = 0; *text; text += strcspn(text, ",") + (text[strcspn(text, ",")] == ',')) {
        const size_t bytes = strcspn(text, ",");
        lpu_layout l = 0;
        while (l < LPU_LAYOUTS &&
               (strlen(lpu_layout_name(l)) != bytes || memcmp(lpu_layout_name(l), text, bytes))) {
            l++;
        }
        if (l == LPU_LAYOUTS || *count == LISTS_MAX) {
            return lpu_fail(
                diag, LPU_ERR_FORMAT,
                "--types: found \"%.*s\", expected up to %d of b1, t2, b3, i4, i8, f16, "
                "bf16, q8, q4, as in f16,q8,b3",
                (int)bytes, text, LISTS_MAX);
        }
        layouts[(*count)++] = l;
    }
    return LPU_OK;
}

/* "pp512", "pp8@512", "tg@128": tokens together at a depth; tg is one token. */
static bool read_test(lpu_measure_test *t, const char *text, size_t bytes)
{
    char copy[32] = "";
    int used = 0;

    if (bytes >= sizeof(copy)) return false;
    memcpy(copy, text, bytes);
    *t = (lpu_measure_test){1, 0};
    if (sscanf(copy, "pp%u%n", &t->tokens, &used) != 1) {
        if (strncmp(copy, "tg", 2)) return false;
        used = 2;
    }
    if (!copy[used]) return t->tokens > 0;
    return sscanf(copy + used, "@%u%n", &t->depth, &(int){0}) == 1 && t->tokens > 0 &&
           strspn(copy + used + 1, "0123456789") == strlen(copy + used + 1);
}

static lpu_status read_tests(lpu_measure_test *tests, size_t *count, const char *text,
                             lpu_diag *diag)
{
    for (*count = 0; *text; text += strcspn(text, ",") + (text[strcspn(text, ",")] == ',')) {
        const size_t bytes = strcspn(text, ",");
        if (*count == LISTS_MAX || !read_test(&tests[*count], text, bytes)) {
            return lpu_fail(diag, LPU_ERR_FORMAT,
                            "--tests: found \"%.*s\", expected up to %d of ppN, ppN@DEPTH, tg and "
                            "tg@DEPTH, as in pp512,tg@128",
                            (int)bytes, text, LISTS_MAX);
        }
        (*count)++;
    }
    return LPU_OK;
}

/* --- weights --- */

/* Synthetic weights of some layers, by way of a file in the directory for such files. */
static lpu_status make_weights(lpu_weights **w, const lpu_model *model, uint32_t layers,
                               uint32_t context_tokens, lpu_diag *diag)
{
    const char *dir = getenv("TMPDIR");
    char path[4096];
    lpu_model few = *model;
    const lpu_synth synth = {.model = &few,
                             .type = model->weights == LPU_WEIGHTS_BINARY ? LPU_QUANT_Q1_0
                                                                          : LPU_QUANT_TQ2_0,
                             .embed_type = LPU_QUANT_F16,
                             .zero_share = model->zero_share,
                             .seed = 1};

    few.layers = few.kv_layers = layers;
    snprintf(path, sizeof(path), "%s/lpu-bench.XXXXXX", dir && *dir ? dir : "/tmp");
    const int file = mkstemp(path);
    if (file < 0) return lpu_fail(diag, LPU_ERR_IO, "bench: cannot make %s", path);
    close(file);
    lpu_status status = lpu_synth_write(path, &synth, diag);
    if (!status) status = lpu_weights_open(w, path, HEAD_TRITS, context_tokens, diag);
    unlink(path);
    return status;
}

bool lpu_bench_file_is(const char *path)
{
    char magic[4] = "";
    FILE *file = fopen(path, "r");

    if (!file) return false;
    const bool is = fread(magic, 1, sizeof(magic), file) == sizeof(magic) &&
                    !memcmp(magic, "GGUF", sizeof(magic));
    fclose(file);
    return is;
}

lpu_status lpu_bench_file_open(lpu_bench_file *f, const char *path, lpu_diag *diag)
{
    *f = (lpu_bench_file){NULL, NULL};
    lpu_status status = lpu_gguf_open(&f->file, path, diag);

    if (status) return status;
    status = lpu_packed_is(f->file) ? lpu_packed_load(&f->weights, f->file, 0, diag)
                                    : lpu_weights_load(&f->weights, f->file, HEAD_TRITS, 0, diag);
    if (status) lpu_bench_file_close(f);
    return status;
}

void lpu_bench_file_close(lpu_bench_file *f)
{
    lpu_weights_close(&f->weights);
    lpu_gguf_close(&f->file); /* packed weights lie in it */
}

/* Weights of a file are measured in all their layers; packed ones in the layout they have. */
static lpu_status use_file(lpu_measure_model_options *o, lpu_layout *layouts,
                           const lpu_bench_model_options *options, lpu_diag *diag)
{
    uint32_t allowed;

    o->weights = options->weights;
    if (options->layers && options->layers != options->model->layers) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found --layers %u with a file of %u, expected them all", options->layers,
                        options->model->layers);
    }
    if (!options->weights->packed[0] || options->layouts) return LPU_OK;
    o->layouts = layouts;
    o->layout_count = 1;
    lpu_status status = lpu_cpu_allowed(&allowed, diag);
    return status ? status : lpu_packed_layout(layouts, options->weights, allowed, diag);
}

static lpu_status threads_of(uint32_t *threads, lpu_diag *diag)
{
    lpu_team *team;
    lpu_status status = lpu_team_open(&team, *threads, diag);
    if (status) return status;
    *threads = lpu_team_threads(team);
    lpu_team_close(&team);
    return LPU_OK;
}

lpu_status lpu_bench_model_run(lpu_measure_model *out, const lpu_bench_model_options *options,
                               lpu_diag *diag)
{
    lpu_layout layouts[LISTS_MAX];
    lpu_measure_test tests[LISTS_MAX];
    uint32_t threads = options->threads;
    lpu_weights *w;
    lpu_measure_model_options o = {.kv_trits = KV_TRITS,
                                   .layers = options->model->layers,
                                   .threads = &threads,
                                   .threads_count = 1,
                                   .layouts = usual_layouts,
                                   .layout_count = sizeof(usual_layouts) / sizeof(*usual_layouts),
                                   .tests = usual_tests,
                                   .test_count = sizeof(usual_tests) / sizeof(*usual_tests),
                                   .seconds = options->seconds,
                                   .progress = lpu_progress_show,
                                   .user = options->bar};
    lpu_status status = LPU_OK;

    if (options->layouts) {
        status = read_layouts(layouts, &o.layout_count, options->layouts, diag);
        o.layouts = layouts;
    }
    if (options->tests && !status) {
        status = read_tests(tests, &o.test_count, options->tests, diag);
        o.tests = tests;
    }
    if (!status && options->weights) status = use_file(&o, layouts, options, diag);
    if (!status) status = threads_of(&threads, diag);
    if (status) return status;
    if (options->weights) return lpu_measure_model_run(out, &o, diag);

    uint32_t context_tokens = 1, layers = options->layers ? options->layers : LAYERS_TIMED;
    for (size_t i = 0; i < o.test_count; i++) {
        const uint64_t most = (uint64_t)o.tests[i].tokens + o.tests[i].depth;
        if (most <= options->model->context_tokens && most > context_tokens) {
            context_tokens = (uint32_t)most;
        }
    }
    if (layers > options->model->layers) layers = options->model->layers;
    status = make_weights(&w, options->model, layers, context_tokens, diag);
    if (status) return status;
    o.weights = w;
    status = lpu_measure_model_run(out, &o, diag);
    lpu_weights_close(&w);
    return status;
}

/* --- what is printed --- */

static void test_name(char *name, size_t bytes, const lpu_measure_test *t)
{
    const int used =
        t->tokens == 1 ? snprintf(name, bytes, "tg1") : snprintf(name, bytes, "pp%u", t->tokens);
    if (t->depth) snprintf(name + used, bytes - (size_t)used, " @ d%u", t->depth);
}

static double passes_rate(const lpu_measure_model *m, const lpu_measure_pass *p)
{
    for (size_t i = 0; i < m->count; i++) {
        const lpu_measure_pass *f = &m->passes[i];
        if (f->layout == LPU_LAYOUT_F16 && f->threads == p->threads &&
            f->test.tokens == p->test.tokens && f->test.depth == p->test.depth) {
            return lpu_bench_quoted(&p->time, p->tokens_per_s) /
                   lpu_bench_quoted(&f->time, f->tokens_per_s);
        }
    }
    return (double)NAN;
}

static void put_ratio(double value)
{
    if (isnan(value)) printf(" %6s |", "");
    else printf(" %6.2f |", value);
}

/* What stops each pass: this run's machine, if it read or multiplied all the time. */
static void print_ceilings(const lpu_measure_model *m)
{
    static const char *const heads[] = {
        "weights",          "threads",         "test",     "t/s",  "MB to read", "G products",
        "t/s of bandwidth", "t/s of products", "bound by", "share"};
    lpu_table *t = lpu_table_open(10, heads);
    char text[32];

    printf("\n");
    for (size_t i = 0; i < m->limits_count; i++) {
        const lpu_measure_limits *l = &m->limits[i];
        printf("limits, %u thread%s: read %s", l->threads, l->threads == 1 ? "" : "s",
               lpu_cli_si(text, l->read_bytes_per_s, "B/s"));
        for (lpu_measure_peak p = 0; p < LPU_PEAKS; p++) {
            printf("%s%s %s", p ? ", " : ", products ", lpu_measure_peak_title(p),
                   lpu_cli_si(text, l->macs_per_s[p], "/s"));
        }
        if (l->is_noisy) {
            printf(" (noisy; memory at the worst %s)",
                   lpu_cli_si(text, l->least_read_bytes_per_s, "B/s"));
        }
        printf("\n");
    }
    printf("\n");
    for (size_t i = 0; i < m->count; i++) {
        const lpu_measure_pass *p = &m->passes[i];
        const lpu_measure_ceiling *c = &p->ceiling;
        test_name(text, sizeof(text), &p->test);
        lpu_table_cell(t, "%s", lpu_bench_layout_title(p->layout));
        lpu_table_cell(t, "%u", p->threads);
        lpu_table_cell(t, "%s", text);
        lpu_bench_put_number(t, "%.1f", lpu_bench_quoted(&p->time, p->tokens_per_s));
        lpu_table_cell(t, "%.0f", 1e-6 * (double)c->bytes);
        lpu_table_cell(t, "%.2f", 1e-9 * (double)c->macs);
        lpu_table_cell(t, "%.1f", c->memory_tokens_per_s);
        lpu_table_cell(t, "%.1f", c->products_tokens_per_s);
        lpu_table_cell(t, "%s", c->is_of_memory ? "bandwidth" : "products");
        lpu_bench_put_number(t, "%.2f", lpu_bench_quoted(&p->time, c->share));
    }
    lpu_table_print(t, stdout);
    lpu_table_close(&t);
    printf("\nCeilings: weights once, less columns that meet zeros, the head as far as it is read, "
           "and the cache, at the\nbandwidth read before and after; products of this layout's kind "
           "at their peak of this run. Share: measured over\nthe lower of the two.\n");
}

void lpu_bench_model_print(const lpu_measure_model *m, const lpu_model *model)
{
    printf("| %-28s | %10s | %9s | %-10s | %7s | %12s | %16s | x fp16 | linear | head | attn. | "
           "rest | J/token |\n",
           "model", "size", "params", "backend", "threads", "test", "t/s");
    printf("| ---------------------------- | ---------: | --------: | ---------- | ------: | "
           "-----------: | ---------------: | -----: | -----: | ---: | ----: | ---: | ------: |\n");
    for (size_t i = 0; i < m->count; i++) {
        const lpu_measure_pass *p = &m->passes[i];
        char name[32], title[96], rate[32] = "noisy";
        test_name(name, sizeof(name), &p->test);
        snprintf(title, sizeof(title), "%s %s", model->name, lpu_bench_layout_title(p->layout));
        if (!isnan(lpu_bench_quoted(&p->time, 1))) {
            snprintf(rate, sizeof(rate), "%.2f ± %.2f", p->tokens_per_s, p->spread_per_s);
        }
        printf("| %-28s | %6.2f GiB | %7.2f B | %-10s | %7u | %12s | %16s |", title,
               (double)p->weight_bytes / 0x1p30, (double)lpu_model_total_elems(model) * 1e-9,
               m->isa, p->threads, name, rate);
        put_ratio(passes_rate(m, p));
        printf(" %4.0f %% | %2.0f %% |  %2.0f %% | %2.0f %% |",
               100 * p->part_share[LPU_FORWARD_LINEAR], 100 * p->part_share[LPU_FORWARD_HEAD],
               100 * p->part_share[LPU_FORWARD_ATTENTION], 100 * p->part_share[LPU_FORWARD_REST]);
        if (p->has_joules) printf(" %7.3f |\n", p->joules_per_token);
        else printf(" %7s |\n", "");
    }
    printf(
        "\nWhole passes, %u of %u layers timed and scaled up; ± half of 10th to 90th percentile. "
        "pp: tokens together, tg1: one,\n@ d: after so many in the cache. Linear, head, "
        "attention and the rest are shares of the time. J/token: the processor's\nmeter, if "
        "there is one and all layers are timed.\n",
        m->layers_timed, m->layers);
    print_ceilings(m);
}

void lpu_bench_model_json(json_t *object, const lpu_measure_model *m)
{
    static const char *const parts[LPU_FORWARD_PARTS] = {"linear_share", "head_share",
                                                         "attention_share", "rest_share"};
    json_t *array = json_array();

    for (size_t i = 0; i < m->count; i++) {
        const lpu_measure_pass *p = &m->passes[i];
        json_t *o = json_object();
        json_object_set_new(o, "weights", json_string(lpu_bench_layout_title(p->layout)));
        json_object_set_new(o, "threads", json_integer(p->threads));
        json_object_set_new(o, "tokens", json_integer(p->test.tokens));
        json_object_set_new(o, "depth", json_integer(p->test.depth));
        json_object_set_new(o, "weight_bytes", json_integer((json_int_t)p->weight_bytes));
        lpu_bench_set_sample(o, "time", &p->time);
        lpu_bench_set_real(o, "tokens_per_s", lpu_bench_quoted(&p->time, p->tokens_per_s));
        for (size_t j = 0; j < LPU_FORWARD_PARTS; j++) {
            lpu_bench_set_real(o, parts[j], p->part_share[j]);
        }
        json_object_set_new(o, "bytes", json_integer((json_int_t)p->ceiling.bytes));
        json_object_set_new(o, "products", json_integer((json_int_t)p->ceiling.macs));
        lpu_bench_set_real(o, "bandwidth_tokens_per_s", p->ceiling.memory_tokens_per_s);
        lpu_bench_set_real(o, "products_tokens_per_s", p->ceiling.products_tokens_per_s);
        json_object_set_new(o, "bound_by",
                            json_string(p->ceiling.is_of_memory ? "bandwidth" : "products"));
        lpu_bench_set_real(o, "ceiling_share", lpu_bench_quoted(&p->time, p->ceiling.share));
        lpu_bench_set_real(o, "joules_per_token",
                           p->has_joules ? p->joules_per_token : (double)NAN);
        json_array_append_new(array, o);
    }
    json_t *limits = json_array();
    for (size_t i = 0; i < m->limits_count; i++) {
        const lpu_measure_limits *l = &m->limits[i];
        json_t *o = json_object();
        json_object_set_new(o, "threads", json_integer(l->threads));
        lpu_bench_set_real(o, "read_bytes_per_s", l->read_bytes_per_s);
        lpu_bench_set_real(o, "least_read_bytes_per_s", l->least_read_bytes_per_s);
        json_object_set_new(o, "is_noisy", json_boolean(l->is_noisy));
        lpu_bench_set_peaks(o, "products_per_s", l);
        json_array_append_new(limits, o);
    }
    json_object_set_new(object, "pass_limits", limits);
    json_object_set_new(object, "layers", json_integer(m->layers));
    json_object_set_new(object, "layers_timed", json_integer(m->layers_timed));
    json_object_set_new(object, "passes", array);
}

void lpu_bench_model_csv(FILE *file, const lpu_measure_model *m, const lpu_model *model)
{
    fprintf(file,
            "model,weights,isa,threads,tokens,depth,weight_bytes,tokens_per_s,spread,"
            "linear_share,head_share,attention_share,rest_share,joules_per_token,bytes,products,"
            "bandwidth_tokens_per_s,products_tokens_per_s,ceiling_share\n");
    for (size_t i = 0; i < m->count; i++) {
        const lpu_measure_pass *p = &m->passes[i];
        const double values[] = {lpu_bench_quoted(&p->time, p->tokens_per_s),
                                 lpu_sample_spread(&p->time),
                                 p->part_share[LPU_FORWARD_LINEAR],
                                 p->part_share[LPU_FORWARD_HEAD],
                                 p->part_share[LPU_FORWARD_ATTENTION],
                                 p->part_share[LPU_FORWARD_REST],
                                 p->has_joules ? p->joules_per_token : (double)NAN,
                                 (double)p->ceiling.bytes,
                                 (double)p->ceiling.macs,
                                 p->ceiling.memory_tokens_per_s,
                                 p->ceiling.products_tokens_per_s,
                                 lpu_bench_quoted(&p->time, p->ceiling.share)};
        fprintf(file, "%s,%s,%s,%u,%u,%u,%llu", model->name, lpu_bench_layout_title(p->layout),
                m->isa, p->threads, p->test.tokens, p->test.depth,
                (unsigned long long)p->weight_bytes);
        for (size_t j = 0; j < sizeof(values) / sizeof(*values); j++) {
            fputc(',', file);
            lpu_bench_print_csv_real(file, values[j]);
        }
        fputc('\n', file);
    }
}
