/* kernels/sample.c - a stopwatch that notices when its thread was not running. */
#include "kernels/sample.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

/* Members of a job of this time wait for the last one for longer than they spin. */
#define WAIT_NS 10e6

double lpu_sample_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

/* Times that one of our threads lost its CPU, or gave it up to wait for another of them. */
static long switches(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nivcsw + usage.ru_nvcsw;
}

lpu_stopwatch lpu_sample_start(void)
{
    const long before = switches();
    return (lpu_stopwatch){lpu_sample_now_ns(), before};
}

void lpu_sample_stop(const lpu_stopwatch *w, lpu_samples *s)
{
    const double ns = lpu_sample_now_ns() - w->begin_ns;
    if (switches() - w->switches <= (long)(ns / WAIT_NS)) {
        if (s->count < LPU_SAMPLES_MAX) s->ns[s->count++] = ns;
    } else if (s->disturbed_count < LPU_SAMPLES_MAX) {
        s->disturbed_ns[s->disturbed_count++] = ns;
    }
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

void lpu_sample_clear(lpu_samples *s)
{
    s->count = s->disturbed_count = 0;
}

lpu_sample lpu_sample_summarise(lpu_samples *s)
{
    const size_t clean = s->count;
    while (s->count < LPU_SAMPLE_RUNS_MIN && s->disturbed_count) {
        s->ns[s->count++] = s->disturbed_ns[--s->disturbed_count];
    }
    const size_t n = s->count;
    lpu_sample_clear(s);
    if (!n) return (lpu_sample){0};
    qsort(s->ns, n, sizeof(*s->ns), compare);
    return (lpu_sample){.median_ns = 0.5 * (s->ns[(n - 1) / 2] + s->ns[n / 2]),
                        .p10_ns = s->ns[(n - 1) / 10],
                        .p90_ns = s->ns[n - 1 - (n - 1) / 10],
                        .runs = (uint32_t)clean};
}

double lpu_sample_spread(const lpu_sample *s)
{
    return s->p10_ns > 0 ? s->p90_ns / s->p10_ns : 1;
}

bool lpu_sample_is_noisy(const lpu_sample *s)
{
    return s->runs < 3 || lpu_sample_spread(s) > LPU_MEASURE_SPREAD_MAX;
}
