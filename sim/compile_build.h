/* sim/compile_build.h - the state of a compilation. Private to compile*.c. */
#ifndef LPU_SIM_COMPILE_BUILD_H
#define LPU_SIM_COMPILE_BUILD_H

#include "sim/compile.h"
#include "sim/compile_buffers.h"

typedef struct lpu_build {
    const lpu_compile_request *request;
    const lpu_layout          *layout;
    const lpu_model           *model;
    const lpu_design          *design;
    lpu_program               *program;
    lpu_buffer_plan            plan;
    lpu_diag                  *diag;
    lpu_status                 status; /* the first failure; emitting then does nothing */

    lpu_program segment; /* the one being built, in the order written, before streams move */
    uint32_t    op_at[LPU_OP_KINDS]; /* index into the trace of the present layer's ops */

    /* The present chunk: rows of one sequence (prefill), or of as many sequences (decode). */
    uint32_t rows, sequence, position;
    bool     is_decode;
    uint32_t layer;
    uint32_t gain_turn;
} lpu_build;

/* An instruction with all buffers absent. */
lpu_insn lpu_build_insn(lpu_insn_op op);

/* Appends to the segment. region is UINT32_MAX or the region that insn->addr is an offset into. */
void lpu_build_emit(lpu_build *b, lpu_insn insn, lpu_op_kind op, size_t region);

/* Writes how a product's or a pack's lines are cut into the instruction. */
void lpu_build_cut(lpu_insn *insn, lpu_cut cut);

/* Shorthands: one contiguous piece to the FIFO, or to a buffer. */
void lpu_build_stream(lpu_build *b, lpu_op_kind op, size_t region, uint64_t offset, uint64_t bytes);
void lpu_build_load(lpu_build *b, lpu_op_kind op, lpu_buffer dst, uint64_t at, size_t region,
                    uint64_t offset, uint64_t bytes);

/* normq of rows x n elements of a at a_off into ACT. norm is LPU_NORMS for the final one. */
void lpu_build_norm(lpu_build *b, lpu_op_kind op, lpu_buffer a, uint64_t a_off, uint32_t rows,
                    uint32_t n, lpu_norm norm, bool has_exponent);

/* Ends the segment with SYNC or HALT, noted under the last op written, and moves its streams. */
void lpu_build_end_segment(lpu_build *b, lpu_insn_op op);

/* Marks each segment of the program that has the timing of an earlier one. */
void lpu_build_find_equal(const lpu_layout *l, lpu_program *p);

/* The rows of the chunk from the embedding table, the first being row first_row of the trace. */
void lpu_build_embed(lpu_build *b, uint32_t first_row);

/* Final norm, logits and argmax of rows rows of X, from element x_off on; their result to memory. */
void lpu_build_head(lpu_build *b, uint32_t rows, uint64_t x_off);

/* Rope, cache write, scores, softmax, values: leaves attention output in LPU_BUF_Q. */
void lpu_build_attention(lpu_build *b);

/* A layer without a cache: its state is streamed through the array and written back. */
void lpu_build_state(lpu_build *b);

#endif
