/* sim/compile.h - a trace and a design become a program.
 *
 * The pass is cut into chunks of tokens that the scratchpad and the accumulators hold. Each chunk
 * goes through all layers, one segment per layer (three in prefill), then the head, one segment per
 * chunk of its rows. Streams are moved ahead of the work that needs them, as far as the stream queue
 * reaches.
 */
#ifndef LPU_SIM_COMPILE_H
#define LPU_SIM_COMPILE_H

#include "sim/layout.h"
#include "sim/program.h"
#include "workloads/trace.h"
#include "workloads/weights.h"

/* Buffers of the scratchpad. Those in pairs alternate, so that one fills while the other is read. */
typedef enum lpu_buffer {
    LPU_BUF_X,        /* residual stream, (m, hidden) int32 */
    LPU_BUF_ACT,      /* quantised activations, (m, k) int8, then m scales */
    LPU_BUF_Q,        /* queries, attention output, O projection: (m, max(heads x head, hidden)) */
    LPU_BUF_K, LPU_BUF_V, /* (m, kv heads x head) int32 */
    LPU_BUF_Q8,       /* (m, heads, head) int8, then m x heads scales */
    LPU_BUF_KPACK, LPU_BUF_VPACK, /* packed rows for the cache, then their scales */
    LPU_BUF_SCORES0, LPU_BUF_SCORES1, /* (rows, keys) int32 */
    LPU_BUF_P0, LPU_BUF_P1,           /* (rows, keys) int8, then rows scales */
    LPU_BUF_KVSCALE0, LPU_BUF_KVSCALE1, /* key scales, then value scales: (2, keys) */
    LPU_BUF_OACC0, LPU_BUF_OACC1,     /* (rows, head) int32 */
    LPU_BUF_GATE, LPU_BUF_UP,         /* (m, max(ffn, hidden)) int32; gate then m exponents */
    LPU_BUF_ROPE,     /* (m or 1, head) int16 */
    LPU_BUF_GAIN0, LPU_BUF_GAIN1,     /* int16 */
    LPU_BUF_EMBED,    /* (m, planes x bytes), then m row scales */
    LPU_BUF_LOGITS,   /* (m, chunk) int32 */
    LPU_BUF_ROWSCALE, /* (chunk) scales */
    LPU_BUF_RESULT,   /* (m) index and value of the best logit */
    LPU_BUFS
} lpu_buffer;

typedef struct lpu_compile_request {
    const lpu_layout  *layout;
    const lpu_trace   *trace;
    const int32_t     *tokens;  /* (rows of the trace) ids, or NULL: any */
    const lpu_weights *weights; /* for the scales in the instructions, or NULL: timing only */
} lpu_compile_request;

/* Appends to an empty program. LPU_ERR_RANGE when the scratchpad cannot hold one token. */
lpu_status lpu_compile(lpu_program *program, const lpu_compile_request *request, lpu_diag *diag);

/* Tokens per chunk that the design can hold for this trace: 0 if not even one. */
uint32_t lpu_compile_chunk_rows(const lpu_layout *layout, const lpu_trace *trace);

#endif
