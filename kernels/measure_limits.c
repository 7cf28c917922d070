/* kernels/measure_limits.c - the machine at its best: reading, multiplying, meeting. */
#include "kernels/lookup.h"
#include "kernels/measure_private.h"

#include <math.h>

enum { PEAK_ROUNDS = 1 << 17, BARRIERS = 200 };

static const struct {
    const char *title, *name;
} peaks[LPU_PEAKS] = {[LPU_PEAK_I8] = {"int8", "i8"},
                      [LPU_PEAK_TERNARY] = {"ternary", "ternary"},
                      [LPU_PEAK_BF16] = {"BF16", "bf16"},
                      [LPU_PEAK_F32] = {"FP32", "f32"}};

const char *lpu_measure_peak_title(lpu_measure_peak peak)
{
    return peaks[peak].title;
}

const char *lpu_measure_peak_name(lpu_measure_peak peak)
{
    return peaks[peak].name;
}

double lpu_measure_peak_of(const lpu_measure_limits *limits, lpu_layout layout, size_t tokens)
{
    const bool is_ternary =
        layout == LPU_LAYOUT_B1 || layout == LPU_LAYOUT_T2 || layout == LPU_LAYOUT_B3;

    if (layout == LPU_LAYOUT_F16) return limits->macs_per_s[LPU_PEAK_F32];
    if (layout == LPU_LAYOUT_BF16) return limits->macs_per_s[LPU_PEAK_BF16];
    return limits
        ->macs_per_s[is_ternary && tokens >= LPU_LOOKUP_TOKENS ? LPU_PEAK_TERNARY : LPU_PEAK_I8];
}

typedef struct limit_job {
    lpu_bench *b;
    lpu_measure_peak peak;
    const uint8_t *w;
    size_t bytes;
    uint64_t done[LPU_TEAM_THREADS_MAX];
} limit_job;

static void read_work(void *arg, size_t member, size_t members)
{
    limit_job *j = arg;
    size_t first;
    const size_t n = lpu_team_share(j->bytes / 512, member, members, &first);
    j->done[member] = j->b->k.read_u64(j->w + 512 * first, 512 * n);
}

static void peak_work(void *arg, size_t member, size_t members)
{
    limit_job *j = arg;
    const lpu_kernels *k = &j->b->k;
    uint64_t *done = &j->done[member];

    (void)members;
    if (j->peak == LPU_PEAK_I8) *done = k->peak_i8(PEAK_ROUNDS);
    if (j->peak == LPU_PEAK_TERNARY) *done = k->peak_t2(PEAK_ROUNDS);
    if (j->peak == LPU_PEAK_BF16) *done = k->peak_bf16(PEAK_ROUNDS);
    if (j->peak == LPU_PEAK_F32) *done = k->peak_f32(PEAK_ROUNDS);
}

/* Returns what the members returned, summed. */
static uint64_t run_limit(lpu_bench *b, void (*work)(void *, size_t, size_t), lpu_measure_peak peak,
                          lpu_samples *s)
{
    limit_job j = {.b = b, .peak = peak, .bytes = READ_BYTES};
    uint64_t done = 0;

    j.w = lpu_bench_next_bytes(b, READ_BYTES);
    lpu_bench_gather(b);
    const lpu_stopwatch w = lpu_sample_start();
    lpu_team_run(b->team, work, &j);
    lpu_sample_stop(&w, s);
    for (uint32_t i = 0; i < lpu_team_threads(b->team); i++) done += j.done[i];
    b->sink = done; /* the bytes were read for something */
    return done;
}

/* Jobs without work, one after the other. */
static void run_barriers(lpu_bench *b)
{
    lpu_bench_gather(b);
    const lpu_stopwatch w = lpu_sample_start();
    for (int i = 0; i < BARRIERS; i++) lpu_bench_gather(b);
    lpu_sample_stop(&w, &b->barrier);
}

void lpu_bench_sample_read(lpu_bench *b, size_t runs)
{
    (void)run_limit(b, read_work, LPU_PEAKS, &b->unused); /* with what is yet to be written back */
    lpu_sample_clear(&b->unused);
    for (size_t i = 0; i < runs; i++) (void)run_limit(b, read_work, LPU_PEAKS, &b->read);
}

/* Whether parts of the run had memories of different speeds. */
static bool memory_changed(const lpu_measure_limits *l)
{
    return l->read_bytes_per_s > LPU_MEASURE_SPREAD_MAX * l->least_read_bytes_per_s;
}

void lpu_bench_keep_read(lpu_bench *b, lpu_measure_limits *limits)
{
    const lpu_sample s = lpu_sample_summarise(&b->read);
    const double rate = 1e9 * READ_BYTES / s.p10_ns;

    if (rate > limits->read_bytes_per_s) limits->read_bytes_per_s = rate;
    if (rate < limits->least_read_bytes_per_s || limits->least_read_bytes_per_s <= 0) {
        limits->least_read_bytes_per_s = rate;
    }
    limits->is_noisy = limits->is_noisy || lpu_sample_is_noisy(&s) || memory_changed(limits);
    b->read_bytes_per_s = lpu_sample_is_noisy(&s) ? (double)NAN : rate;
}

void lpu_bench_measure_limits(lpu_bench *b, lpu_measure_limits *limits, double seconds)
{
    const double end = lpu_sample_now_ns() + 1e9 * seconds;
    uint64_t macs[LPU_PEAKS] = {0};

    for (size_t i = 0; i < LPU_SAMPLE_RUNS_MIN || lpu_sample_now_ns() < end; i++) {
        for (lpu_measure_peak p = 0; p < LPU_PEAKS; p++) {
            macs[p] = run_limit(b, peak_work, p, &b->peaks[p]);
        }
        run_barriers(b);
        lpu_bench_sample_read(b, 1);
        lpu_bench_tell(b);
    }
    limits->threads = lpu_team_threads(b->team);
    limits->barrier_ns = lpu_sample_summarise(&b->barrier).median_ns / BARRIERS;
    for (lpu_measure_peak p = 0; p < LPU_PEAKS; p++) {
        const lpu_sample s = lpu_sample_summarise(&b->peaks[p]);
        const double rate = 1e9 * (double)macs[p] / s.p10_ns;
        if (rate > limits->macs_per_s[p]) limits->macs_per_s[p] = rate;
        limits->is_noisy = limits->is_noisy || lpu_sample_is_noisy(&s);
    }
    /* Where tables are not looked up, or tiles multiply faster, ternary products are int8 ones. */
    if (limits->macs_per_s[LPU_PEAK_TERNARY] < limits->macs_per_s[LPU_PEAK_I8]) {
        limits->macs_per_s[LPU_PEAK_TERNARY] = limits->macs_per_s[LPU_PEAK_I8];
    }
    lpu_bench_keep_read(b, limits);
}
