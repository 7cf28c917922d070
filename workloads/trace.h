/* workloads/trace.h - one record per operation of a forward pass, before any machine is chosen.
 *
 * Made from shapes alone, or recorded from a real pass. A product is count independent products of
 * an (m, k) activation with a (k, n) matrix: x (m, k) @ W^T (k, n) -> y (m, n).
 */
#ifndef LPU_WORKLOADS_TRACE_H
#define LPU_WORKLOADS_TRACE_H

#include "workloads/model.h"
#include "workloads/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum lpu_op_kind {
#define LPU_OP(name, is_product, text) LPU_OP_##name,
#include "workloads/ops.def"
#undef LPU_OP
    LPU_OP_KINDS
} lpu_op_kind;

/* Where the stationary matrix of a product comes from: it decides the format in memory. */
typedef enum lpu_operand {
    LPU_OPERAND_NONE,
    LPU_OPERAND_LINEAR, /* weights of a linear layer: ternary, binary or FP16 by model */
    LPU_OPERAND_KV,     /* the cache */
    LPU_OPERAND_HEAD,   /* embedding and LM head */
} lpu_operand;

/* Of independent random bits, half change from one row to the next. */
#define LPU_TOGGLE_SHARE_RANDOM 0.5

typedef struct lpu_op {
    lpu_op_kind kind;
    int32_t     layer;       /* 0.., or -1 outside the layers */
    lpu_operand operand;     /* of the stationary matrix */
    uint64_t    count;       /* independent repeats: kv heads x sequences for attention, else 1 */
    uint64_t    m, n, k;     /* rows in, outputs, contraction; k is 1 where there is no product */
    uint64_t    macs;        /* count * m * n * k for products, else 0 */
    uint64_t    weight_elems; /* count * n * k: elements of the stationary matrices, read once */
    double      zero_weight_share; /* 0 to 1 */
    double      zero_input_share;  /* 0 to 1 */
    double      toggle_share;      /* of input bits that change from one row to the next */
} lpu_op;

typedef enum lpu_phase { LPU_PHASE_PREFILL, LPU_PHASE_DECODE } lpu_phase;

typedef struct lpu_trace {
    lpu_model model;
    lpu_phase phase;
    uint32_t  tokens;  /* prefill: tokens of each prompt; decode: 1 */
    uint32_t  context; /* tokens already in the cache before this pass */
    uint32_t  batch;   /* sequences side by side */
    lpu_op   *ops;     /* (count) in order of execution */
    size_t    count;
} lpu_trace;

/* Traces a pass of batch sequences. Prefill: tokens of each prompt, after context cached ones; only
 * the last token's logits are computed. Decode: one token per sequence, context tokens in the cache
 * before it. Refuses shapes that overflow or exceed the model's context. */
lpu_status lpu_trace_open(lpu_trace **trace, const lpu_model *model, lpu_phase phase,
                          uint32_t tokens, uint32_t context, uint32_t batch, lpu_diag *diag);

void lpu_trace_close(lpu_trace **trace);

/* Tab-separated text with a header, readable again. save writes to a temporary name and renames. */
lpu_status lpu_trace_save(const lpu_trace *trace, const char *path, lpu_diag *diag);
lpu_status lpu_trace_load(lpu_trace **trace, const char *path, lpu_diag *diag);
lpu_status lpu_trace_parse(lpu_trace **trace, const char *name, const void *text, size_t bytes,
                           lpu_diag *diag);

/* "q_proj"; and the sentence beside it. */
const char *lpu_op_name(lpu_op_kind kind);
const char *lpu_op_text(lpu_op_kind kind);
bool        lpu_op_is_product(lpu_op_kind kind);

#endif
