/* kernels/measure_points.c - batches of tokens, with weights from memory and from the caches. */
#include "kernels/measure_private.h"

#include <string.h>

enum {
    FEW = 16,              /* tokens up to which a whole matrix is taken: memory is the limit */
    HOT_BYTES = 384 << 10, /* of weights for a thread: they stay in a cache of its own */
    HOT_NS = 50000,        /* of a timed run, at least */
    C_ROWS = 64,           /* for portable C */
};

static const size_t batches[LPU_MEASURE_BATCHES] = {1, 2, 4, 8, 16, 64, TOKENS_MAX};

/* The largest matrix of a layer. */
static const lpu_bench_shape *largest(const lpu_bench *b)
{
    const lpu_bench_shape *best = &b->shapes[0];
    for (size_t i = 1; i < b->shape_count; i++) {
        const lpu_bench_shape *s = &b->shapes[i];
        if (!s->is_head && s->rows * s->k > best->rows * best->k) best = s;
    }
    return best;
}

/* Whole blocks for every thread, of as many bytes as stay close to it. */
static size_t hot_rows(const lpu_bench *b, lpu_layout l, size_t k)
{
    const size_t blocks = HOT_BYTES / lpu_layout_block_bytes(l, k);
    const size_t block_rows = lpu_layout_block_rows(l), room = b->y_elems / TOKENS_MAX - APART;
    const size_t rows = (blocks ? blocks : 1) * block_rows * lpu_team_threads(b->team);
    return rows < room ? rows : room / block_rows * block_rows;
}

/* One point, and the samples that it will come from. */
typedef struct sampling {
    lpu_measure_point *p;
    lpu_stream hot;
    size_t repeats;
} sampling;

static void sample_once(lpu_bench *b, sampling *s, lpu_samples *to)
{
    const lpu_measure_point *p = s->p;
    lpu_bench_job j = {.b = b, .tokens = p->tokens, .repeats = s->repeats};

    if (p->is_hot) {
        j.of[0] = s->hot;
        j.count = 1;
    } else {
        lpu_bench_add_stream(&j, p->layout, p->rows, p->k);
    }
    lpu_bench_run_job(&j, to);
}

/* Brings the weights into the caches, where they are to be, and finds how many repeats make a run
 * long enough to time. */
static void warm_up(lpu_bench *b, sampling *s)
{
    lpu_bench_job j = {.b = b, .tokens = s->p->tokens};

    s->repeats = 1;
    lpu_bench_add_stream(&j, s->p->layout, s->p->rows, s->p->k);
    s->hot = j.of[0];
    if (!s->p->is_hot) {
        lpu_bench_run_job(&j, &b->unused); /* output that was never written takes longer */
        lpu_sample_clear(&b->unused);
        return;
    }
    for (int i = 0; i < 3; i++) {
        lpu_sample_clear(&b->of[0][0]);
        lpu_bench_run_job(&j, &b->of[0][0]);
    }
    const double ns = lpu_sample_summarise(&b->of[0][0]).median_ns;
    if (ns < HOT_NS) s->repeats = (size_t)(HOT_NS / ns) + 1;
}

/* One run that is not timed: the other layouts have had the caches since the last one. */
static void warm_again(lpu_bench *b, sampling *s)
{
    lpu_bench_job j = {.b = b, .tokens = s->p->tokens, .count = 1};
    j.of[0] = s->hot;
    lpu_bench_run_job(&j, &b->unused);
    lpu_sample_clear(&b->unused);
}

static void keep(const lpu_bench *b, const lpu_measure_limits *limits, sampling *s,
                 lpu_samples *from)
{
    lpu_measure_point *p = s->p;
    const double times = (double)s->repeats;

    p->time = lpu_sample_summarise(from);
    p->time.median_ns /= times;
    p->time.p10_ns /= times;
    p->time.p90_ns /= times;
    p->macs_per_s = 1e9 * (double)(p->rows * p->k * p->tokens) / p->time.median_ns;
    p->bytes_per_s = 1e9 * (double)p->bytes / p->time.median_ns;
    p->macs_per_byte = (double)(p->rows * p->k * p->tokens) / (double)p->bytes;
    p->bandwidth_share = p->bytes_per_s / b->read_bytes_per_s;
    p->peak_share = p->macs_per_s / lpu_measure_peak_of(limits, p->layout, p->tokens);
}

/* One more run, for the processor's counters. */
static void count_once(lpu_bench *b, sampling *s)
{
    lpu_measure_point *p = s->p;
    uint64_t counts[LPU_PERF_EVENTS];

    if (!b->has_perf || !lpu_perf_read(&b->perf, counts)) return;
    sample_once(b, s, &b->unused);
    p->has_counts = lpu_perf_read(&b->perf, counts) && counts[0];
    if (p->has_counts) {
        p->macs_per_cycle = (double)(p->rows * p->k * p->tokens * s->repeats) / (double)counts[0];
        p->instructions_per_cycle = (double)counts[1] / (double)counts[0];
    }
    lpu_sample_clear(&b->unused);
}

/* The same product in portable C, on fewer rows. */
static void compare_with_c(lpu_bench *b, sampling *s)
{
    lpu_kernels portable;
    lpu_samples *to = &b->of[0][0];
    lpu_bench_job j = {.b = b, .tokens = 1, .k = &portable};
    const size_t rows = lpu_bench_slice(s->p->rows, C_ROWS * lpu_team_threads(b->team));

    lpu_kernels_init(&portable, 0);
    lpu_bench_add_stream(&j, s->p->layout, rows, s->p->k);
    for (size_t i = 0; i < LPU_SAMPLE_RUNS_MIN; i++) lpu_bench_run_job(&j, to);
    const double ns = lpu_sample_summarise(to).median_ns / (double)rows;
    s->p->times_c = ns * (double)s->p->rows / s->p->time.median_ns;
}

/* A batch in all layouts, which take turns. */
static void measure_batch(lpu_bench *b, size_t t, size_t tokens, bool is_hot, double seconds)
{
    const lpu_bench_shape *shape = largest(b);
    lpu_measure_point *points = b->out->points + b->out->point_count;
    lpu_measure_limits *limits = &b->out->limits[t];
    const double end = lpu_sample_now_ns() + 1e9 * seconds;
    sampling all[LPU_LAYOUTS];

    for (lpu_layout l = 0; l < LPU_LAYOUTS; l++) {
        const size_t rows = is_hot          ? hot_rows(b, l, shape->k)
                            : tokens <= FEW ? shape->rows
                                            : lpu_bench_slice(shape->rows, SLICE_ROWS);
        points[l] = (lpu_measure_point){.layout = l,
                                        .threads = limits->threads,
                                        .is_hot = is_hot,
                                        .tokens = tokens,
                                        .rows = rows,
                                        .k = shape->k,
                                        .bytes = lpu_layout_bytes(l, rows, shape->k)};
        all[l] = (sampling){.p = &points[l]};
        warm_up(b, &all[l]);
    }
    for (size_t i = 0;
         i < LPU_SAMPLE_RUNS_MIN || (i < LPU_SAMPLES_MAX && lpu_sample_now_ns() < end); i++) {
        if (!is_hot) lpu_bench_sample_read(b, tokens <= FEW ? 1 : 4);
        for (lpu_layout l = 0; l < LPU_LAYOUTS; l++) {
            if (is_hot) warm_again(b, &all[l]);
            sample_once(b, &all[l], &b->of[l][1]);
        }
        lpu_bench_tell(b);
    }
    if (!is_hot) lpu_bench_keep_read(b, limits);
    for (lpu_layout l = 0; l < LPU_LAYOUTS; l++) {
        keep(b, limits, &all[l], &b->of[l][1]);
        count_once(b, &all[l]);
    }
    for (lpu_layout l = 0; l < LPU_LAYOUTS && is_hot && tokens == 1; l++)
        compare_with_c(b, &all[l]);
    b->out->point_count += LPU_LAYOUTS;
}

void lpu_bench_measure_points(lpu_bench *b, size_t t, double seconds)
{
    for (size_t i = 0; i < LPU_MEASURE_BATCHES; i++) {
        measure_batch(b, t, batches[i], false, 0.5 * seconds / LPU_MEASURE_BATCHES);
        measure_batch(b, t, batches[i], true, 0.5 * seconds / LPU_MEASURE_BATCHES);
    }
}
