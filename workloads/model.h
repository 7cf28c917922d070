/* workloads/model.h - the shape of a language model: what is needed to trace its forward pass.
 *
 * One YAML file per model (workloads/models/), each figure with its source.
 */
#ifndef LPU_WORKLOADS_MODEL_H
#define LPU_WORKLOADS_MODEL_H

#include "workloads/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum lpu_weight_kind {
    LPU_WEIGHTS_TERNARY, /* -1, 0, +1 */
    LPU_WEIGHTS_BINARY,  /* -1, +1 */
    LPU_WEIGHTS_FP16,    /* the full-precision twin */
} lpu_weight_kind;

typedef enum lpu_activation {
    LPU_ACT_SILU,
    LPU_ACT_RELU2, /* squared ReLU */
    LPU_ACT_GELU,
} lpu_activation;

typedef struct lpu_model {
    char            name[64];   /* as on the command line: bitnet-b1.58-2b4t */
    char            title[96];  /* as in a figure: BitNet b1.58 2B4T */
    char            family[64]; /* groups models in tables: BitNet b1.58 */
    char            source[256];
    char            twin[64];   /* name of the FP16 model it is compared with, or "" */
    lpu_weight_kind weights;
    lpu_activation  activation;
    bool            is_gated;     /* gate and up, or up alone */
    bool            has_sub_norm; /* a norm before the O and down projections too */
    bool            is_tied;      /* the LM head is the embedding table */
    uint32_t        hidden_elems, ffn_elems, vocab_elems;
    uint32_t        layers, heads, kv_heads, head_elems; /* head_elems: elements of one head */
    uint32_t        kv_layers;     /* layers with softmax attention; the rest keep no cache */
    uint32_t        context_tokens; /* longest context */
    uint32_t        activation_bits; /* 8, 4, or 16 for FP16 models */
    uint32_t        native_kv_bits; /* what the model's authors use: 16, or 3 (BitNet a4.8) */
    double          rope_theta;
    double          norm_eps;
    double          zero_share;   /* of the ternary weights; 0 for binary and FP16 */
    double          active_share; /* of input activations that are not zero; 1 when dense */
} lpu_model;

/* Reads a shipped model by name, or a YAML file by path. */
lpu_status lpu_model_load(lpu_model *model, const char *name, lpu_diag *diag);

/* The same from memory; name stands for the file in messages. */
lpu_status lpu_model_parse(lpu_model *model, const char *name, const void *text, size_t bytes,
                           lpu_diag *diag);

/* LPU_ERR_RANGE and a sentence if the shape is not one that a transformer can have. */
lpu_status lpu_model_check(const lpu_model *model, lpu_diag *diag);

/* Weights of the linear layers, without embedding and head: 2,084,044,800 for 2B4T. */
uint64_t lpu_model_linear_elems(const lpu_model *model);

/* All weights: linear layers, embedding, and the head where it is not tied. */
uint64_t lpu_model_total_elems(const lpu_model *model);

/* As in the YAML: "ternary", "silu". */
const char *lpu_model_weights_name(lpu_weight_kind kind);
const char *lpu_model_activation_name(lpu_activation activation);

/* Writes the model as the YAML that lpu_model_parse reads, each line after prefix. */
void lpu_model_write(const lpu_model *model, FILE *file, const char *prefix);

#endif
