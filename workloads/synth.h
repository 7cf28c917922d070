/* workloads/synth.h - writes a GGUF file of any shape with weights made from a seed.
 *
 * For timing, tests and simulation of models whose weights are not at hand. Scales and gains are
 * chosen so that activations stay near 1 through all layers; the text it generates is noise.
 */
#ifndef LPU_WORKLOADS_SYNTH_H
#define LPU_WORKLOADS_SYNTH_H

#include "workloads/model.h"
#include "workloads/quants.h"
#include "workloads/status.h"

#include <stdint.h>

typedef struct lpu_synth {
    const lpu_model *model; /* ternary or binary */
    lpu_quant type;         /* of the linear layers: one that holds digits */
    lpu_quant embed_type;   /* of embedding and head: one that can be encoded */
    double zero_share;      /* of the ternary weights; binary ones have no zeros */
    uint64_t seed;
    void (*progress)(void *user, double share); /* NULL: nobody looks */
    void *user;
} lpu_synth;

/* Writes path, which appears when it is whole. The digits depend on seed, shape and zero_share
 * only: files of different types hold the same model. A matrix whose rows are no whole number of
 * blocks is written as F16. */
lpu_status lpu_synth_write(const char *path, const lpu_synth *synth, lpu_diag *diag);

#endif
