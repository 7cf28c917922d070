/* kernels/measure_model.h - how fast this CPU runs a model: prefill and decode at several depths,
 * for each format of its weights.
 *
 * Whole forward passes are timed: products, attention over a cache of that depth, norms, the head
 * and the choice of a token. Where the weights at hand have fewer layers than the model, the time
 * of layers is scaled up, that of the head is not. Beside each rate stands what the machine could do
 * at its best, measured in the same run: measure_ceiling.h.
 */
#ifndef LPU_KERNELS_MEASURE_MODEL_H
#define LPU_KERNELS_MEASURE_MODEL_H

#include "kernels/forward.h"
#include "kernels/measure_ceiling.h"
#include "kernels/sample.h"
#include "workloads/weights.h"

#include <stdbool.h>

enum { LPU_MEASURE_PASSES_MAX = 256, LPU_MEASURE_LIMITS_MAX = 16 };

/* Tokens that go through together, after depth others. */
typedef struct lpu_measure_test {
    uint32_t tokens, depth;
} lpu_measure_test;

typedef struct lpu_measure_pass {
    lpu_layout layout;
    uint32_t threads;
    lpu_measure_test test;
    uint64_t weight_bytes;                /* of all linear layers and the head, as they stream */
    lpu_sample time;                      /* of a pass through all layers and the head */
    double tokens_per_s, spread_per_s;    /* median; half of 90th less 10th percentile */
    double part_share[LPU_FORWARD_PARTS]; /* of the time, all runs together */
    double read_bytes_per_s;              /* of memory, before and after; NaN: too noisy */
    lpu_measure_ceiling ceiling;          /* of the same memory, and this run's products */
    bool has_joules;                      /* the processor has a meter that this user may read */
    double joules_per_token;
} lpu_measure_pass;

typedef struct lpu_measure_model {
    char isa[32];
    uint32_t layers, layers_timed;
    size_t limits_count;
    lpu_measure_limits limits[LPU_MEASURE_LIMITS_MAX]; /* of each number of threads */
    size_t count;
    lpu_measure_pass passes[LPU_MEASURE_PASSES_MAX];
} lpu_measure_model;

typedef struct lpu_measure_model_options {
    const lpu_weights *weights;
    uint32_t layers;   /* of the whole model: at least those of weights */
    uint32_t kv_trits; /* of the cache, for the LPU's arithmetic */
    const uint32_t *threads;
    const lpu_layout *layouts;
    const lpu_measure_test *tests; /* those that do not fit the context are left out */
    size_t threads_count, layout_count, test_count;
    double seconds; /* about, beside loading */
    void (*progress)(void *user, double share);
    void *user;
} lpu_measure_model_options;

/* Sorted by threads, layout, test. */
lpu_status lpu_measure_model_run(lpu_measure_model *out, const lpu_measure_model_options *options,
                                 lpu_diag *diag);

#endif
