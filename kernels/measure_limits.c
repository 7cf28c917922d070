/* kernels/measure_limits.c - the machine at its best: reading, multiplying, meeting. */
#include "kernels/measure_private.h"

enum { PEAK_ROUNDS = 1 << 17, BARRIERS = 200 };

typedef struct limit_job {
    lpu_bench *b;
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

static void i8_work(void *arg, size_t member, size_t members)
{
    limit_job *j = arg;
    (void)members;
    j->done[member] = j->b->k.peak_i8(PEAK_ROUNDS);
}

static void f32_work(void *arg, size_t member, size_t members)
{
    limit_job *j = arg;
    (void)members;
    j->done[member] = j->b->k.peak_f32(PEAK_ROUNDS);
}

static void bf16_work(void *arg, size_t member, size_t members)
{
    limit_job *j = arg;
    (void)members;
    j->done[member] = j->b->k.peak_bf16(PEAK_ROUNDS);
}

/* *done is what the members returned, summed. */
static void run_limit(lpu_bench *b, void (*work)(void *, size_t, size_t), uint64_t *done,
                      lpu_samples *s)
{
    limit_job j = {.b = b, .bytes = READ_BYTES};
    j.w = lpu_bench_next_bytes(b, READ_BYTES);
    lpu_bench_gather(b);
    const lpu_stopwatch w = lpu_sample_start();
    lpu_team_run(b->team, work, &j);
    lpu_sample_stop(&w, s);
    *done = 0;
    for (uint32_t i = 0; i < lpu_team_threads(b->team); i++) *done += j.done[i];
    b->sink = *done; /* the bytes were read for something */
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
    uint64_t done;
    for (size_t i = 0; i < runs; i++) run_limit(b, read_work, &done, &b->read);
}

void lpu_bench_measure_limits(lpu_bench *b, lpu_measure_limits *limits, double seconds)
{
    const double end = lpu_sample_now_ns() + 1e9 * seconds;
    uint64_t i8_macs = 0, f32_macs = 0, bf16_macs = 0;

    for (size_t i = 0; i < LPU_SAMPLE_RUNS_MIN || lpu_sample_now_ns() < end; i++) {
        run_limit(b, i8_work, &i8_macs, &b->i8);
        run_limit(b, f32_work, &f32_macs, &b->f32);
        run_limit(b, bf16_work, &bf16_macs, &b->bf16_peak);
        run_barriers(b);
        lpu_bench_sample_read(b, 1);
        lpu_bench_tell(b);
    }
    const lpu_sample i8 = lpu_sample_summarise(&b->i8), f32 = lpu_sample_summarise(&b->f32),
                     bf16 = lpu_sample_summarise(&b->bf16_peak);
    limits->threads = lpu_team_threads(b->team);
    limits->i8_macs_per_s = 1e9 * (double)i8_macs / i8.p10_ns;
    limits->f32_macs_per_s = 1e9 * (double)f32_macs / f32.p10_ns;
    limits->bf16_macs_per_s = 1e9 * (double)bf16_macs / bf16.p10_ns;
    limits->barrier_ns = lpu_sample_summarise(&b->barrier).median_ns / BARRIERS;
    limits->is_noisy =
        lpu_sample_is_noisy(&i8) || lpu_sample_is_noisy(&f32) || lpu_sample_is_noisy(&bf16);
}
