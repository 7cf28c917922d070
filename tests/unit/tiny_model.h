/* tests/unit/tiny_model.h - a model small enough to be made and read in a millisecond. */
#ifndef LPU_TESTS_UNIT_TINY_MODEL_H
#define LPU_TESTS_UNIT_TINY_MODEL_H

#include "workloads/model.h"

#include <string.h>

/* Rows of 256 and 512: whole blocks of every format. */
static const char tiny_model_text[] = "name: tiny\n"
                                      "title: \"Tiny\"\n"
                                      "family: \"Test\"\n"
                                      "source: \"tests\"\n"
                                      "twin: \"\"\n"
                                      "weights: ternary\n"
                                      "activation: relu2\n"
                                      "is_gated: true\n"
                                      "has_sub_norm: true\n"
                                      "is_tied: true\n"
                                      "hidden_elems: 256\n"
                                      "ffn_elems: 512\n"
                                      "vocab_elems: 300\n"
                                      "layers: 2\n"
                                      "heads: 4\n"
                                      "kv_heads: 2\n"
                                      "head_elems: 64\n"
                                      "kv_layers: 2\n"
                                      "context_tokens: 32\n"
                                      "activation_bits: 8\n"
                                      "native_kv_bits: 16\n"
                                      "rope_theta: 10000.0\n"
                                      "norm_eps: 1.0e-5\n"
                                      "zero_share: 0.31\n"
                                      "active_share: 1\n";

static inline lpu_status tiny_model_init(lpu_model *model, lpu_diag *diag)
{
    return lpu_model_parse(model, "tiny", tiny_model_text, strlen(tiny_model_text), diag);
}

#endif
