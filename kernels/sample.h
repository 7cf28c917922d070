/* kernels/sample.h - wall times of repeated runs, on a machine that does other things as well.
 *
 * A run in which the system took a CPU away is left out while there are enough others; those of
 * many milliseconds may give it up now and then, where one thread waits for another.
 */
#ifndef LPU_KERNELS_SAMPLE_H
#define LPU_KERNELS_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A sample whose 90th percentile is above this times its 10th, or of fewer than three runs, is not
 * to be quoted. */
#define LPU_MEASURE_SPREAD_MAX 1.5

enum { LPU_SAMPLES_MAX = 2048, LPU_SAMPLE_RUNS_MIN = 5 };

/* Wall times of repeated runs. Of a sum: the sums of its parts' medians and percentiles. */
typedef struct lpu_sample {
    double median_ns, p10_ns, p90_ns;
    uint32_t runs; /* in which no thread lost its CPU; if hardly any, others are in the times */
} lpu_sample;

/* p90 / p10. */
double lpu_sample_spread(const lpu_sample *s);
bool lpu_sample_is_noisy(const lpu_sample *s);

/* The runs themselves. */
typedef struct lpu_samples {
    double ns[LPU_SAMPLES_MAX], disturbed_ns[LPU_SAMPLES_MAX];
    size_t count, disturbed_count;
} lpu_samples;

/* One run being timed. */
typedef struct lpu_stopwatch {
    double begin_ns;
    long switches;
} lpu_stopwatch;

double lpu_sample_now_ns(void);
lpu_stopwatch lpu_sample_start(void);
void lpu_sample_stop(const lpu_stopwatch *w, lpu_samples *s);

/* Forgets the runs. */
void lpu_sample_clear(lpu_samples *s);

/* Sorts the runs and empties them. */
lpu_sample lpu_sample_summarise(lpu_samples *s);

#endif
