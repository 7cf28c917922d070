/* cli/bench.c - lpu bench: the products of a model on this CPU, ternary beside int4, int8 and FP16.
 *
 * A figure whose runs lie too far apart is not shown: its cell says "noisy" (null in JSON).
 */
#include "cli/cli.h"

#include "kernels/measure.h"
#include "workloads/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const layout_names[LPU_LAYOUTS] = {
    [LPU_LAYOUT_B1] = "1-bit",  [LPU_LAYOUT_T2] = "2-bit", [LPU_LAYOUT_B3] = "1.6-bit",
    [LPU_LAYOUT_I4] = "int4",   [LPU_LAYOUT_I8] = "int8",  [LPU_LAYOUT_F16] = "fp16",
    [LPU_LAYOUT_BF16] = "bf16",   [LPU_LAYOUT_Q8] = "Q8_0",  [LPU_LAYOUT_Q4] = "Q4_0",
};

/* NAN stands for a figure that is not to be quoted. */
static double quoted(const lpu_sample *s, double value)
{
    return lpu_sample_is_noisy(s) ? (double)NAN : value;
}

/* How many times faster a is than b; NAN if either is noisy. */
static double ratio(double a, double b)
{
    return b > 0 ? a / b : (double)NAN;
}

/* --- tables --- */

static void put_si(lpu_table *t, double value, const char *unit)
{
    char text[32];
    lpu_table_cell(t, "%s", isnan(value) ? "noisy" : lpu_cli_si(text, value, unit));
}

static void put_number(lpu_table *t, const char *format, double value)
{
    char text[32];
    snprintf(text, sizeof(text), format, value);
    lpu_table_cell(t, "%s", isnan(value) ? "noisy" : text);
}

static void print_limits(const lpu_measure *m)
{
    static const char *const heads[] = {"threads", "memory read", "int8 products", "FP32 products",
                                        "spread"};
    lpu_table *t = lpu_table_open(5, heads);

    printf("What this machine can do at best (%s)\n\n", m->isa);
    for (uint32_t i = 0; i < m->threads_counts; i++) {
        lpu_table_cell(t, "%u", m->limits[i].threads);
        put_si(t, m->limits[i].read_bytes_per_s, "B/s");
        put_si(t, m->limits[i].i8_macs_per_s, "MAC/s");
        put_si(t, m->limits[i].f32_macs_per_s, "MAC/s");
        lpu_table_cell(t, "%s", m->limits[i].is_noisy ? "noisy" : "steady");
    }
    lpu_table_print(t, stdout);
    lpu_table_close(&t);
}

static void print_products(const lpu_measure *m)
{
    static const char *const heads[] = {"product", "rows",   "cols",      "weights", "threads",
                                        "median",  "spread", "weights/s", "bytes/s", "of limit"};
    lpu_table *t = lpu_table_open(10, heads);

    printf("\nProducts with one token, weights from memory\n\n");
    for (size_t i = 0; i < m->product_count; i++) {
        const lpu_measure_product *p = &m->products[i];
        lpu_table_cell(t, "%s", p->name);
        lpu_table_cell(t, "%zu", p->rows);
        lpu_table_cell(t, "%zu", p->k);
        lpu_table_cell(t, "%s", layout_names[p->layout]);
        lpu_table_cell(t, "%u", p->threads);
        put_si(t, quoted(&p->time, 1e-9 * p->time.median_ns), "s");
        put_number(t, "%.2f", lpu_sample_spread(&p->time));
        put_si(t, quoted(&p->time, p->weights_per_s), "");
        put_si(t, quoted(&p->time, p->bytes_per_s), "B/s");
        put_number(t, "%.0f %%", quoted(&p->time, 100 * p->bandwidth_share));
    }
    lpu_table_print(t, stdout);
    lpu_table_close(&t);
}

static void print_tokens(const lpu_measure *m)
{
    static const char *const heads[] = {"weights", "threads", "layers timed", "decode tokens/s",
                                        "x fp16",  "spread",  "of limit",     "prefill tokens/s",
                                        "x fp16",  "energy"};
    lpu_table *t = lpu_table_open(10, heads);

    printf("\nAll products of a token (norms and attention over the cache are not in it); prefill: "
           "%d tokens\n\n",
           LPU_MEASURE_PREFILL_TOKENS);
    for (size_t i = 0; i < m->token_count; i++) {
        const lpu_measure_token *x = &m->tokens[i];
        const lpu_measure_token *f = lpu_measure_find_token(m, LPU_LAYOUT_F16, x->threads);
        const double decode = quoted(&x->decode, x->decode_tokens_per_s);
        const double prefill = quoted(&x->prefill, x->prefill_tokens_per_s);
        lpu_table_cell(t, "%s", layout_names[x->layout]);
        lpu_table_cell(t, "%u", x->threads);
        lpu_table_cell(t, "%u of %u", x->layers_timed, x->layers);
        put_number(t, "%.1f", decode);
        put_number(t, "%.2f", ratio(decode, quoted(&f->decode, f->decode_tokens_per_s)));
        put_number(t, "%.2f", lpu_sample_spread(&x->decode));
        put_number(t, "%.0f %%", quoted(&x->decode, 100 * x->bandwidth_share));
        put_number(t, "%.1f", prefill);
        put_number(t, "%.2f", ratio(prefill, quoted(&f->prefill, f->prefill_tokens_per_s)));
        if (x->has_joules) {
            put_si(t, x->joules_per_token, "J/token");
        } else {
            lpu_table_cell(t, "no meter");
        }
    }
    lpu_table_print(t, stdout);
    lpu_table_close(&t);
    printf("\nspread: 90th over 10th percentile of the runs; \"noisy\" above %.1f. Integer weights "
           "have an int8 head.\n",
           LPU_MEASURE_SPREAD_MAX);
}

/* --- JSON --- */

static void set_real(json_t *object, const char *key, double value)
{
    json_object_set_new(object, key, isfinite(value) ? json_real(value) : json_null());
}

static void set_sample(json_t *object, const char *key, const lpu_sample *s)
{
    json_t *o = json_object();
    set_real(o, "median_ns", s->median_ns);
    set_real(o, "p10_ns", s->p10_ns);
    set_real(o, "p90_ns", s->p90_ns);
    json_object_set_new(o, "runs", json_integer(s->runs));
    json_object_set_new(o, "is_noisy", json_boolean(lpu_sample_is_noisy(s)));
    json_object_set_new(object, key, o);
}

static json_t *limits_json(const lpu_measure *m)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < m->threads_counts; i++) {
        json_t *o = json_object();
        json_object_set_new(o, "threads", json_integer(m->limits[i].threads));
        set_real(o, "read_bytes_per_s", m->limits[i].read_bytes_per_s);
        set_real(o, "i8_macs_per_s", m->limits[i].i8_macs_per_s);
        set_real(o, "f32_macs_per_s", m->limits[i].f32_macs_per_s);
        json_object_set_new(o, "is_noisy", json_boolean(m->limits[i].is_noisy));
        json_array_append_new(array, o);
    }
    return array;
}

static json_t *products_json(const lpu_measure *m)
{
    json_t *array = json_array();
    for (size_t i = 0; i < m->product_count; i++) {
        const lpu_measure_product *p = &m->products[i];
        json_t *o = json_object();
        json_object_set_new(o, "product", json_string(p->name));
        json_object_set_new(o, "weights", json_string(layout_names[p->layout]));
        json_object_set_new(o, "threads", json_integer(p->threads));
        json_object_set_new(o, "rows", json_integer((json_int_t)p->rows));
        json_object_set_new(o, "cols", json_integer((json_int_t)p->k));
        json_object_set_new(o, "bytes", json_integer((json_int_t)p->bytes));
        set_sample(o, "time", &p->time);
        set_real(o, "weights_per_s", quoted(&p->time, p->weights_per_s));
        set_real(o, "bytes_per_s", quoted(&p->time, p->bytes_per_s));
        set_real(o, "bandwidth_share", quoted(&p->time, p->bandwidth_share));
        json_array_append_new(array, o);
    }
    return array;
}

static json_t *tokens_json(const lpu_measure *m)
{
    json_t *array = json_array();
    for (size_t i = 0; i < m->token_count; i++) {
        const lpu_measure_token *x = &m->tokens[i];
        json_t *o = json_object();
        json_object_set_new(o, "weights", json_string(layout_names[x->layout]));
        json_object_set_new(o, "threads", json_integer(x->threads));
        json_object_set_new(o, "layers", json_integer(x->layers));
        json_object_set_new(o, "layers_timed", json_integer(x->layers_timed));
        json_object_set_new(o, "bytes", json_integer((json_int_t)x->bytes));
        set_sample(o, "decode", &x->decode);
        set_real(o, "decode_tokens_per_s", quoted(&x->decode, x->decode_tokens_per_s));
        set_real(o, "bandwidth_share", quoted(&x->decode, x->bandwidth_share));
        set_sample(o, "prefill", &x->prefill);
        set_real(o, "prefill_tokens_per_s", quoted(&x->prefill, x->prefill_tokens_per_s));
        set_real(o, "joules_per_token", x->has_joules ? x->joules_per_token : (double)NAN);
        json_array_append_new(array, o);
    }
    return array;
}

static void print_json(const lpu_measure *m, const lpu_model *model)
{
    json_t *o = json_object();
    json_object_set_new(o, "model", json_string(model->name));
    json_object_set_new(o, "isa", json_string(m->isa));
    json_object_set_new(o, "memory_bytes", json_integer((json_int_t)m->memory_bytes));
    json_object_set_new(o, "prefill_tokens", json_integer(LPU_MEASURE_PREFILL_TOKENS));
    json_object_set_new(o, "limits", limits_json(m));
    json_object_set_new(o, "products", products_json(m));
    json_object_set_new(o, "tokens", tokens_json(m));
    lpu_cli_print_json(o);
}

/* --- the command --- */

static void print_text(const lpu_measure *m, const lpu_model *model)
{
    printf("%s\n\n", model->title);
    print_limits(m);
    print_products(m);
    print_tokens(m);
}

int lpu_command_bench(int argc, char **argv)
{
    const char *name = "bitnet-b1.58-2b4t";
    uint32_t threads = 0, seconds = 120;
    bool is_json = false;
    const lpu_option list[] = {
        {"--model", "NAME", "a shipped model, or a YAML file (bitnet-b1.58-2b4t)", &name, NULL,
         NULL},
        {"--threads", "N", "measure 1 and N threads (0: all cores)", NULL, &threads, NULL},
        {"--seconds", "N", "about how long to measure (120)", NULL, &seconds, NULL},
        {"--json", NULL, "print JSON", NULL, NULL, &is_json},
        {0},
    };
    const lpu_usage usage = {
        .name = "bench",
        .text = "time the CPU kernels: the products of a model, ternary beside int4, int8 and FP16",
        .examples = "lpu bench --seconds 20\n"
                    "LPU_CPU=avx2 lpu bench --model bitnet-b1.58-700m\n",
        .options = list,
    };
    int exit_code;
    lpu_diag diag = {""};
    lpu_model model;
    lpu_progress bar;

    if (lpu_cli_parse(&usage, argc, argv, &exit_code), exit_code >= 0) return exit_code;
    if (lpu_model_load(&model, name, &diag)) {
        lpu_cli_fail(&usage, &diag);
        return LPU_EXIT_USAGE;
    }
    lpu_measure *m = calloc(1, sizeof(*m));
    if (!m) {
        (void)lpu_fail(&diag, LPU_ERR_MEMORY, "out of memory");
        return lpu_cli_fail(&usage, &diag);
    }
    lpu_progress_init(&bar, "measuring");
    const lpu_measure_options options = {.model = &model,
                                         .threads = threads,
                                         .seconds = seconds,
                                         .progress = lpu_progress_show,
                                         .user = &bar};
    const lpu_status status = lpu_measure_run(m, &options, &diag);
    lpu_progress_end(&bar);
    if (status) {
        lpu_cli_fail(&usage, &diag);
    } else if (is_json) {
        print_json(m, &model);
    } else {
        print_text(m, &model);
    }
    free(m);
    return status ? LPU_EXIT_FAILED : LPU_EXIT_OK;
}
