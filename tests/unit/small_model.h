/* tests/unit/small_model.h - a ternary model of two layers with grouped heads, for passes in
 * integers. */
#ifndef LPU_TESTS_UNIT_SMALL_MODEL_H
#define LPU_TESTS_UNIT_SMALL_MODEL_H

#include "workloads/model.h"

static inline lpu_model small_model(lpu_activation activation, bool is_gated, bool has_sub_norm,
                                    uint32_t context_tokens)
{
    lpu_model m = {.name = "test",
                   .title = "test",
                   .family = "test",
                   .source = "made here",
                   .weights = LPU_WEIGHTS_TERNARY,
                   .activation = activation,
                   .is_gated = is_gated,
                   .has_sub_norm = has_sub_norm,
                   .is_tied = true,
                   .hidden_elems = 256,
                   .ffn_elems = 512,
                   .vocab_elems = 331,
                   .layers = 2,
                   .heads = 4,
                   .kv_heads = 2,
                   .head_elems = 64,
                   .kv_layers = 2,
                   .context_tokens = context_tokens,
                   .activation_bits = 8,
                   .native_kv_bits = 16,
                   .rope_theta = 10000,
                   .norm_eps = 1e-5,
                   .zero_share = 0.4,
                   .active_share = 1};
    return m;
}

#endif
