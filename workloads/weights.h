/* workloads/weights.h - a whole model with its weights, in the integer form of arithmetic.md.
 *
 * Read from a GGUF file. The machine and the CPU kernels both start from here; the floating-point
 * values that the file holds are kept beside, for the FP16 reference.
 */
#ifndef LPU_WORKLOADS_WEIGHTS_H
#define LPU_WORKLOADS_WEIGHTS_H

#include "workloads/model.h"
#include "workloads/scale.h"
#include "workloads/status.h"

#include <stddef.h>
#include <stdint.h>

/* A (rows, cols) matrix of trits-digit integers. planes holds trits planes, most significant first,
 * each of rows rows of lpu_ternary_bytes(LPU_CODE_BASE3, cols) bytes. */
typedef struct lpu_matrix {
    size_t     rows, cols; /* outputs, inputs */
    uint32_t   trits;      /* 1 for ternary and binary weights; 3 to 5 for the head */
    uint8_t   *planes;
    lpu_scale  scale;      /* of every row, where row_scales is NULL */
    lpu_scale *row_scales; /* (rows) or NULL */
    float      real_scale; /* of every row, as the file has it; unused where row_scales is set */
    uint16_t  *f16;        /* (rows, cols) IEEE half, of a model of FP16 weights: then planes is NULL */
    const uint8_t *stream; /* (stream_bytes) of a packed file: as its kernel reads it, in place */
    size_t     stream_bytes;
} lpu_matrix;

/* A norm's gain, as G of arithmetic.md and as the file has it. g is NULL where there is no norm. */
typedef struct lpu_gain {
    int16_t *g; /* (elems) */
    int16_t  exponent;
    float   *real; /* (elems) */
    size_t   elems;
} lpu_gain;

typedef struct lpu_layer_weights {
    lpu_gain   attn_norm, attn_sub_norm, ffn_norm, ffn_sub_norm;
    lpu_matrix q, k, v, o, gate, up, down; /* gate.rows = 0 where the model has no gate */
} lpu_layer_weights;

typedef struct lpu_weights {
    lpu_model          model;
    char               packed[32]; /* the layouts of a packed file, "" of a portable one */
    uint32_t           head_trits;
    lpu_layer_weights *layer; /* (model.layers) */
    lpu_matrix         embed; /* (vocab, hidden), row scales */
    lpu_matrix         head;  /* the same memory as embed where the model is tied */
    uint16_t          *embed_f16, *head_f16; /* (vocab, hidden) IEEE half; head_f16 may be embed_f16 */
    lpu_gain           output_norm;
    lpu_scale          eps, score_scale; /* score_scale: log2(e) / sqrt(head_elems) */
    int16_t           *rope; /* (context_tokens, head_elems / 2, 2): cos, sin; 14 fractional bits */
} lpu_weights;

/* Loads path. A file that says setun.weights = "fp16", as the trainer's twins do, has model.weights
 * LPU_WEIGHTS_FP16 and halves in place of planes, for the FP16 reference alone. head_trits is 3 to 5: digits of the embedding and the head. context_tokens bounds the
 * rope table (0: the model's own). Refuses, with a sentence, what is not a BitNet-type model. */
lpu_status lpu_weights_open(lpu_weights **weights, const char *path, uint32_t head_trits,
                            uint32_t context_tokens, lpu_diag *diag);

/* The same from a file that is open already, and may be closed afterwards. */
struct lpu_gguf;
lpu_status lpu_weights_load(lpu_weights **weights, const struct lpu_gguf *g, uint32_t head_trits,
                            uint32_t context_tokens, lpu_diag *diag);

/* The same from a packed file (kernels/packed.h), which the others refuse: matrices have streams in
 * place of planes, the embedding has planes too, and all of them lie in g, which is closed after
 * *weights. Neither the streams' sizes nor the file's sum are looked at. */
lpu_status lpu_weights_load_packed(lpu_weights **weights, const struct lpu_gguf *g,
                                   uint32_t context_tokens, lpu_diag *diag);
void lpu_weights_close(lpu_weights **weights);

#endif
