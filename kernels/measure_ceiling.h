/* kernels/measure_ceiling.h - the rate of a pass that does nothing but read what must be read, or
 * multiply what must be multiplied, on this machine at its best.
 *
 * Read are the weights of all linear layers once, the head as far as it is looked at (screen.h),
 * and the cache. Multiplied are all of those with every token; the head with the last one. What
 * zeros of the activations leave out (columns.h) is taken off by the caller.
 */
#ifndef LPU_KERNELS_MEASURE_CEILING_H
#define LPU_KERNELS_MEASURE_CEILING_H

#include "kernels/layout.h"
#include "kernels/measure.h"
#include "workloads/model.h"

#include <stdbool.h>

typedef struct lpu_measure_ceiling {
    uint64_t bytes, macs; /* of a pass */
    double memory_tokens_per_s, products_tokens_per_s;
    bool is_of_memory; /* that is the lower */
    double share;      /* of the lower that was measured */
} lpu_measure_ceiling;

/* What a pass of so many tokens after depth others must do. head_bytes and head_macs are those of
 * one token. */
void lpu_measure_ceiling_count(lpu_measure_ceiling *c, const lpu_model *m, uint32_t layers,
                               lpu_layout layout, uint32_t tokens, uint32_t depth,
                               uint64_t head_bytes, uint64_t head_macs);

/* The two rates, and what share of the lower was measured. */
void lpu_measure_ceiling_rate(lpu_measure_ceiling *c, const lpu_measure_limits *limits,
                              lpu_layout layout, uint32_t tokens, double tokens_per_s);

#endif
