/* tests/unit/sim_odd.h - models and machines that nobody would build: every remainder, every
 * corner.
 */
#ifndef LPU_TESTS_UNIT_SIM_ODD_H
#define LPU_TESTS_UNIT_SIM_ODD_H

#include "sim/design.h"
#include "workloads/model.h"

/* 0 to n - 1, n at most 2^24. */
static uint32_t odd_below(uint32_t *state, uint32_t n)
{
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(*state >> 8) * n >> 24);
}

/* Changes the shape of a model that is sound. */
static void odd_model(lpu_model *m, uint32_t *seed)
{
    m->kv_heads = 1 + odd_below(seed, 4);
    m->heads = m->kv_heads * (1 + odd_below(seed, 4));
    m->head_elems = 2 + 2 * odd_below(seed, 60);
    m->hidden_elems = 1 + odd_below(seed, 400);
    m->ffn_elems = 1 + odd_below(seed, 500);
    m->vocab_elems = 1 + odd_below(seed, 700);
    m->kv_layers = 1 + odd_below(seed, 2);
    m->layers = m->kv_layers * (1 + odd_below(seed, 3));
    m->context_tokens = 4096;
    m->is_gated = odd_below(seed, 2);
    m->has_sub_norm = odd_below(seed, 2);
    m->is_tied = odd_below(seed, 2);
    m->weights = odd_below(seed, 2) ? LPU_WEIGHTS_TERNARY : LPU_WEIGHTS_BINARY;
    if (m->weights == LPU_WEIGHTS_BINARY) m->zero_share = 0;
}

/* Changes all of a design but its memory. */
static void odd_design(lpu_design *d, uint32_t *seed)
{
    const uint32_t lanes = 1 + odd_below(seed, 16);

    d->vector_lanes = lanes;
    d->rows = lanes * (1 + odd_below(seed, 5));
    d->cols = 40 * (1 + odd_below(seed, 6));
    d->lines = 1 + odd_below(seed, d->rows < d->cols ? d->rows : d->cols);
    d->code = (lpu_code)odd_below(seed, 3);
    d->lane = (lpu_lane)odd_below(seed, 4);
    d->kv_trits = 1 + odd_below(seed, 5);
    d->head_trits = 1 + odd_below(seed, 5);
    d->passes_max = 4 + odd_below(seed, 40);
    d->stream_queue = 64 - odd_below(seed, 20);
    d->outstanding_bursts = 1 + odd_below(seed, 64);
    d->fifo_kib = 1 + odd_below(seed, 8);
    d->bus_bytes_per_cycle = 1 + odd_below(seed, 300);
    d->fill_bytes_per_cycle = 1 + odd_below(seed, 300);
    d->clock_mhz = 100 + odd_below(seed, 2000);
    d->scratch_kib = 1 << 16;
    d->residence = odd_below(seed, 3) ? LPU_WEIGHTS_IN_DRAM : LPU_WEIGHTS_ON_CHIP;
}

#endif
