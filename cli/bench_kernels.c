/* cli/bench_kernels.c - what lpu bench says of the kernels: tables, JSON, CSV, data of figures. */
#include "cli/bench.h"
#include "workloads/output.h"

#include <math.h>
#include <stdlib.h>

/* How many times faster a is than b; NAN if either is noisy. */
static double ratio(double a, double b)
{
    return b > 0 ? a / b : (double)NAN;
}

/* --- tables --- */

static void print_limits(const lpu_measure *m)
{
    char titles[LPU_PEAKS][32];
    const char *heads[5 + LPU_PEAKS] = {"threads", "memory read", "at the worst"};

    for (lpu_measure_peak p = 0; p < LPU_PEAKS; p++) {
        snprintf(titles[p], sizeof(titles[p]), "%s products", lpu_measure_peak_title(p));
        heads[3 + p] = titles[p];
    }
    heads[3 + LPU_PEAKS] = "barrier";
    heads[4 + LPU_PEAKS] = "spread";
    lpu_table *t = lpu_table_open(5 + LPU_PEAKS, heads);

    printf("What this machine can do at best (%s)\n\n", m->isa);
    for (uint32_t i = 0; i < m->threads_counts; i++) {
        lpu_table_cell(t, "%u", m->limits[i].threads);
        lpu_bench_put_si(t, m->limits[i].read_bytes_per_s, "B/s");
        lpu_bench_put_si(t, m->limits[i].least_read_bytes_per_s, "B/s");
        for (lpu_measure_peak p = 0; p < LPU_PEAKS; p++) {
            lpu_bench_put_si(t, m->limits[i].macs_per_s[p], "MAC/s");
        }
        lpu_bench_put_si(t, 1e-9 * m->limits[i].barrier_ns, "s");
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
        lpu_table_cell(t, "%s", lpu_bench_layout_title(p->layout));
        lpu_table_cell(t, "%u", p->threads);
        lpu_bench_put_si(t, lpu_bench_quoted(&p->time, 1e-9 * p->time.median_ns), "s");
        lpu_bench_put_number(t, "%.2f", lpu_sample_spread(&p->time));
        lpu_bench_put_si(t, lpu_bench_quoted(&p->time, p->weights_per_s), "");
        lpu_bench_put_si(t, lpu_bench_quoted(&p->time, p->bytes_per_s), "B/s");
        lpu_bench_put_number(t, "%.0f %%", lpu_bench_quoted(&p->time, 100 * p->bandwidth_share));
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
        const double decode = lpu_bench_quoted(&x->decode, x->decode_tokens_per_s);
        const double prefill = lpu_bench_quoted(&x->prefill, x->prefill_tokens_per_s);
        lpu_table_cell(t, "%s", lpu_bench_layout_title(x->layout));
        lpu_table_cell(t, "%u", x->threads);
        lpu_table_cell(t, "%u of %u", x->layers_timed, x->layers);
        lpu_bench_put_number(t, "%.1f", decode);
        lpu_bench_put_number(t, "%.2f",
                             ratio(decode, lpu_bench_quoted(&f->decode, f->decode_tokens_per_s)));
        lpu_bench_put_number(t, "%.2f", lpu_sample_spread(&x->decode));
        lpu_bench_put_number(t, "%.0f %%", lpu_bench_quoted(&x->decode, 100 * x->bandwidth_share));
        lpu_bench_put_number(t, "%.1f", prefill);
        lpu_bench_put_number(
            t, "%.2f", ratio(prefill, lpu_bench_quoted(&f->prefill, f->prefill_tokens_per_s)));
        if (x->has_joules) {
            lpu_bench_put_si(t, x->joules_per_token, "J/token");
        } else {
            lpu_table_cell(t, "no meter");
        }
    }
    lpu_table_print(t, stdout);
    lpu_table_close(&t);
    printf("\nspread: 90th over 10th percentile of the runs; \"noisy\" above %.1f. Integer weights "
           "have an int8 head, Q4_0 has Q8_0.\n",
           LPU_MEASURE_SPREAD_MAX);
}

/* The point of the same batch in FP16. */
static const lpu_measure_point *point_in_f16(const lpu_measure *m, const lpu_measure_point *p)
{
    for (size_t i = 0; i < m->point_count; i++) {
        const lpu_measure_point *q = &m->points[i];
        if (q->layout == LPU_LAYOUT_F16 && q->threads == p->threads && q->tokens == p->tokens &&
            q->is_hot == p->is_hot) {
            return q;
        }
    }
    return p;
}

static void print_points(const lpu_measure *m)
{
    static const char *const heads[] = {"weights",  "threads", "from",  "tokens",
                                        "MAC/s",    "x fp16",  "x C",   "of peak",
                                        "of limit", "median",  "spread"};
    lpu_table *t = lpu_table_open(11, heads);

    printf("\nBatches of tokens times the largest matrix of a layer\n\n");
    for (size_t i = 0; i < m->point_count; i++) {
        const lpu_measure_point *p = &m->points[i], *f = point_in_f16(m, p);
        const double rate = lpu_bench_quoted(&p->time, p->macs_per_s);
        lpu_table_cell(t, "%s", lpu_bench_layout_title(p->layout));
        lpu_table_cell(t, "%u", p->threads);
        lpu_table_cell(t, "%s", p->is_hot ? "cache" : "memory");
        lpu_table_cell(t, "%zu", p->tokens);
        lpu_bench_put_si(t, rate, "");
        lpu_bench_put_number(t, "%.2f", ratio(rate, lpu_bench_quoted(&f->time, f->macs_per_s)));
        if (p->times_c > 0) lpu_bench_put_number(t, "%.1f", lpu_bench_quoted(&p->time, p->times_c));
        else lpu_table_cell(t, "%s", "");
        lpu_bench_put_number(t, "%.0f %%", lpu_bench_quoted(&p->time, 100 * p->peak_share));
        lpu_bench_put_number(t, "%.0f %%", lpu_bench_quoted(&p->time, 100 * p->bandwidth_share));
        lpu_bench_put_si(t, lpu_bench_quoted(&p->time, 1e-9 * p->time.median_ns), "s");
        lpu_bench_put_number(t, "%.2f", lpu_sample_spread(&p->time));
    }
    lpu_table_print(t, stdout);
    lpu_table_close(&t);
    printf("\nof peak: of the products of the same kind in registers; of limit: of reading memory "
           "in turns\nwith it, weights alone.\n");
}

/* What the processor counted, where it can be asked. */
static void print_counts(const lpu_measure *m)
{
    static const char *const heads[] = {"weights", "threads",   "from",
                                        "tokens",  "MAC/cycle", "instructions/cycle"};
    lpu_table *t = lpu_table_open(6, heads);
    bool has_counts = false;

    for (size_t i = 0; i < m->point_count; i++) {
        const lpu_measure_point *p = &m->points[i];
        if (!p->has_counts) continue;
        has_counts = true;
        lpu_table_cell(t, "%s", lpu_bench_layout_title(p->layout));
        lpu_table_cell(t, "%u", p->threads);
        lpu_table_cell(t, "%s", p->is_hot ? "cache" : "memory");
        lpu_table_cell(t, "%zu", p->tokens);
        lpu_table_cell(t, "%.2f", p->macs_per_cycle);
        lpu_table_cell(t, "%.2f", p->instructions_per_cycle);
    }
    if (has_counts) {
        printf("\nCounted by the processor (perf), waiting at barriers included\n\n");
        lpu_table_print(t, stdout);
    } else {
        printf("\nperf: this system gives no counters of cycles and instructions.\n");
    }
    lpu_table_close(&t);
}

void lpu_bench_kernels_print(const lpu_measure *m)
{
    print_limits(m);
    print_products(m);
    print_points(m);
    print_counts(m);
    print_tokens(m);
}

/* --- JSON --- */

static json_t *limits_json(const lpu_measure *m)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < m->threads_counts; i++) {
        json_t *o = json_object();
        json_object_set_new(o, "threads", json_integer(m->limits[i].threads));
        lpu_bench_set_real(o, "read_bytes_per_s", m->limits[i].read_bytes_per_s);
        lpu_bench_set_real(o, "least_read_bytes_per_s", m->limits[i].least_read_bytes_per_s);
        lpu_bench_set_peaks(o, "macs_per_s", &m->limits[i]);
        lpu_bench_set_real(o, "barrier_ns", m->limits[i].barrier_ns);
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
        json_object_set_new(o, "weights", json_string(lpu_bench_layout_title(p->layout)));
        json_object_set_new(o, "threads", json_integer(p->threads));
        json_object_set_new(o, "rows", json_integer((json_int_t)p->rows));
        json_object_set_new(o, "cols", json_integer((json_int_t)p->k));
        json_object_set_new(o, "bytes", json_integer((json_int_t)p->bytes));
        lpu_bench_set_sample(o, "time", &p->time);
        lpu_bench_set_real(o, "weights_per_s", lpu_bench_quoted(&p->time, p->weights_per_s));
        lpu_bench_set_real(o, "bytes_per_s", lpu_bench_quoted(&p->time, p->bytes_per_s));
        lpu_bench_set_real(o, "bandwidth_share", lpu_bench_quoted(&p->time, p->bandwidth_share));
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
        json_object_set_new(o, "weights", json_string(lpu_bench_layout_title(x->layout)));
        json_object_set_new(o, "threads", json_integer(x->threads));
        json_object_set_new(o, "layers", json_integer(x->layers));
        json_object_set_new(o, "layers_timed", json_integer(x->layers_timed));
        json_object_set_new(o, "bytes", json_integer((json_int_t)x->bytes));
        lpu_bench_set_sample(o, "decode", &x->decode);
        lpu_bench_set_real(o, "decode_tokens_per_s",
                           lpu_bench_quoted(&x->decode, x->decode_tokens_per_s));
        lpu_bench_set_real(o, "bandwidth_share", lpu_bench_quoted(&x->decode, x->bandwidth_share));
        lpu_bench_set_sample(o, "prefill", &x->prefill);
        lpu_bench_set_real(o, "prefill_tokens_per_s",
                           lpu_bench_quoted(&x->prefill, x->prefill_tokens_per_s));
        lpu_bench_set_real(o, "joules_per_token",
                           x->has_joules ? x->joules_per_token : (double)NAN);
        json_array_append_new(array, o);
    }
    return array;
}

static json_t *points_json(const lpu_measure *m)
{
    json_t *array = json_array();
    for (size_t i = 0; i < m->point_count; i++) {
        const lpu_measure_point *p = &m->points[i];
        json_t *o = json_object();
        json_object_set_new(o, "weights", json_string(lpu_bench_layout_title(p->layout)));
        json_object_set_new(o, "threads", json_integer(p->threads));
        json_object_set_new(o, "is_hot", json_boolean(p->is_hot));
        json_object_set_new(o, "tokens", json_integer((json_int_t)p->tokens));
        json_object_set_new(o, "rows", json_integer((json_int_t)p->rows));
        json_object_set_new(o, "cols", json_integer((json_int_t)p->k));
        json_object_set_new(o, "bytes", json_integer((json_int_t)p->bytes));
        lpu_bench_set_sample(o, "time", &p->time);
        lpu_bench_set_real(o, "macs_per_byte", p->macs_per_byte);
        lpu_bench_set_real(o, "macs_per_s", lpu_bench_quoted(&p->time, p->macs_per_s));
        lpu_bench_set_real(o, "peak_share", lpu_bench_quoted(&p->time, p->peak_share));
        lpu_bench_set_real(o, "bandwidth_share", lpu_bench_quoted(&p->time, p->bandwidth_share));
        lpu_bench_set_real(o, "times_c", p->times_c > 0 ? p->times_c : (double)NAN);
        lpu_bench_set_real(o, "macs_per_cycle", p->has_counts ? p->macs_per_cycle : (double)NAN);
        lpu_bench_set_real(o, "instructions_per_cycle",
                           p->has_counts ? p->instructions_per_cycle : (double)NAN);
        json_array_append_new(array, o);
    }
    return array;
}

void lpu_bench_kernels_json(json_t *o, const lpu_measure *m)
{
    json_object_set_new(o, "isa", json_string(m->isa));
    json_object_set_new(o, "memory_bytes", json_integer((json_int_t)m->memory_bytes));
    json_object_set_new(o, "prefill_tokens", json_integer(LPU_MEASURE_PREFILL_TOKENS));
    json_object_set_new(o, "limits", limits_json(m));
    json_object_set_new(o, "products", products_json(m));
    json_object_set_new(o, "points", points_json(m));
    json_object_set_new(o, "tokens", tokens_json(m));
}

/* --- CSV and the data of figures --- */

static void csv_line(FILE *file, const char *what, const char *weights, uint32_t threads,
                     const char *from, size_t tokens, size_t rows, size_t cols,
                     const lpu_sample *time, double macs_per_s, double bytes_per_s)
{
    fprintf(file, "\"%s\",%s,%u,%s,%zu,%zu,%zu,", what, weights, threads, from, tokens, rows, cols);
    lpu_bench_print_csv_real(file, time->median_ns);
    fputc(',', file);
    lpu_bench_print_csv_real(file, lpu_sample_spread(time));
    fputc(',', file);
    lpu_bench_print_csv_real(file, lpu_bench_quoted(time, macs_per_s));
    fputc(',', file);
    lpu_bench_print_csv_real(file, lpu_bench_quoted(time, bytes_per_s));
    fputc('\n', file);
}

void lpu_bench_kernels_csv(FILE *file, const lpu_measure *m)
{
    fprintf(file, "matrix,weights,threads,from,tokens,rows,cols,median_ns,spread,macs_per_s,"
                  "bytes_per_s\n");
    for (size_t i = 0; i < m->product_count; i++) {
        const lpu_measure_product *p = &m->products[i];
        csv_line(file, p->name, lpu_bench_layout_title(p->layout), p->threads, "memory", 1, p->rows,
                 p->k, &p->time, p->weights_per_s, p->bytes_per_s);
    }
    for (size_t i = 0; i < m->point_count; i++) {
        const lpu_measure_point *p = &m->points[i];
        csv_line(file, "batch", lpu_bench_layout_title(p->layout), p->threads,
                 p->is_hot ? "cache" : "memory", p->tokens, p->rows, p->k, &p->time, p->macs_per_s,
                 p->bytes_per_s);
    }
}

static lpu_status save_limits(const char *dir, const lpu_measure *m, lpu_diag *diag)
{
    char path[4096];
    lpu_output *o;
    FILE *file;

    snprintf(path, sizeof(path), "%s/limits.tsv", dir);
    lpu_status status = lpu_output_open(&o, path, &file, diag);
    if (status) return status;
    fprintf(file, "threads\tread_bytes_per_s\tleast_read_bytes_per_s");
    for (lpu_measure_peak p = 0; p < LPU_PEAKS; p++) {
        fprintf(file, "\t%s_macs_per_s", lpu_measure_peak_name(p));
    }
    fputc('\n', file);
    for (uint32_t i = 0; i < m->threads_counts; i++) {
        const lpu_measure_limits *l = &m->limits[i];
        fprintf(file, "%u\t%.6g\t%.6g", l->threads, l->read_bytes_per_s, l->least_read_bytes_per_s);
        for (lpu_measure_peak p = 0; p < LPU_PEAKS; p++) fprintf(file, "\t%.6g", l->macs_per_s[p]);
        fputc('\n', file);
    }
    return lpu_output_commit(&o, diag);
}

lpu_status lpu_bench_kernels_save(const char *dir, const lpu_measure *m, lpu_diag *diag)
{
    char path[4096];
    lpu_output *o;
    FILE *file;

    lpu_status status = save_limits(dir, m, diag);
    if (status) return status;
    snprintf(path, sizeof(path), "%s/points.tsv", dir);
    status = lpu_output_open(&o, path, &file, diag);
    if (status) return status;
    fprintf(file, "weights\tthreads\tfrom\ttokens\tmacs_per_byte\tmacs_per_s\tpeak_share\n");
    for (size_t i = 0; i < m->point_count; i++) {
        const lpu_measure_point *p = &m->points[i];
        if (lpu_sample_is_noisy(&p->time)) continue;
        fprintf(file, "%s\t%u\t%s\t%zu\t%.6g\t%.6g\t%.6g\n", lpu_bench_layout_title(p->layout),
                p->threads, p->is_hot ? "cache" : "memory", p->tokens, p->macs_per_byte,
                p->macs_per_s, p->peak_share);
    }
    return lpu_output_commit(&o, diag);
}
