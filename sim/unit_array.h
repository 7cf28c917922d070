/* sim/unit_array.h - the array with its decoder, double-buffered tile and Horner accumulators, one
 * clock at a time. It is rtl/lpu_array.v: same ports, same cycle, same values.
 *
 * A tile is up to rows x cols trits. It enters as beats of `lines` lines (a line is one row of the
 * tile, or one column when is_column is set), is held while `passes` activation vectors of cols
 * int8 each go by, and adds into accumulator [pass][row] of the current bank:
 *
 *     clear   acc = partial       add   acc = acc + partial       horner   acc = 3 acc + partial
 *
 * After a tile with is_last the bank drains, row by row within a pass, out_lanes values a cycle,
 * while the other bank takes the next tiles. Order of the drain: pass 0 rows 0.., pass 1 rows 0..
 *
 *   cmd --> [queue 2] --> fill shadow tile --swap--> active tile --> tree --> bank 0/1 --> y
 *   w   --> [queue 2] --->                           x ----->
 *
 * Ready signals depend on registered state alone: read them with _outputs, then give the inputs of
 * the cycle to _step. A transfer happens where valid and ready are both set in one cycle.
 * Without values (config.has_values false) the same clock runs with no data: timing and counts.
 */
#ifndef LPU_SIM_UNIT_ARRAY_H
#define LPU_SIM_UNIT_ARRAY_H

#include "workloads/status.h"
#include "workloads/ternary.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum lpu_accum { LPU_ACCUM_CLEAR, LPU_ACCUM_ADD, LPU_ACCUM_HORNER } lpu_accum;

typedef struct lpu_array_config {
    uint32_t rows, cols; /* R, C: cols is a multiple of the code's digits per byte */
    uint32_t lines;      /* tile lines written per beat */
    uint32_t passes_max; /* depth of an accumulator bank */
    uint32_t out_lanes;  /* values drained per cycle; divides rows */
    lpu_code code;
    bool     has_values;
} lpu_array_config;

/* One tile. */
typedef struct lpu_array_cmd {
    uint32_t  lines;  /* tile lines that are filled: 1..rows, or 1..cols with is_column */
    uint32_t  rows;   /* rows that are drained: 1..rows */
    uint32_t  passes; /* 1..passes_max */
    lpu_accum accum;
    bool      is_column; /* beats carry columns (rows digits each) instead of rows (cols digits) */
    bool      is_last;   /* drain the bank after this tile */
} lpu_array_cmd;

/* What the array shows in a cycle: a function of its registers alone. */
typedef struct lpu_array_out {
    bool cmd_ready, w_ready, x_ready, y_valid;
    bool is_idle;           /* no tile, no pass in the pipeline, no drain */
    const int32_t *y_data;  /* (out_lanes), owned by the array; NULL without values */
    uint32_t lane_adds;     /* non-zero trits of the active tile: what a pass adds; 0 without values */
    bool is_illegal;        /* the beat decoded in the last cycle held an illegal code: zeros */
} lpu_array_out;

/* What is given to it in that cycle. Data pointers are read only where valid and ready. */
typedef struct lpu_array_in {
    bool                 cmd_valid, w_valid, x_valid, y_ready;
    lpu_array_cmd        cmd;
    const uint8_t       *w_data; /* (lines, line_bytes); unfilled digits are zero trits */
    const int8_t        *x_data; /* (cols) */
} lpu_array_in;

/* Why the array took no vector in the last step. */
typedef enum lpu_array_state {
    LPU_ARRAY_PASS,   /* it did take one */
    LPU_ARRAY_EMPTY,  /* no command is in fill or active */
    LPU_ARRAY_FILL,   /* active tile free, the shadow tile is not yet full */
    LPU_ARRAY_ACCUM,  /* a full tile waits for an accumulator bank that drains */
    LPU_ARRAY_STARVED /* a tile is active, x was not valid */
} lpu_array_state;

typedef struct lpu_array lpu_array;

lpu_status lpu_array_open(lpu_array **a, const lpu_array_config *config, lpu_diag *diag);
void       lpu_array_close(lpu_array **a);

/* Bytes of one line on the w port: enough for the longer of a row and a column. */
uint32_t lpu_array_line_bytes(const lpu_array_config *config);

/* Cycles from the clock that takes x to the clock in which its sums are in the accumulator. */
uint32_t lpu_array_latency_cycles(const lpu_array_config *config);

void            lpu_array_outputs(const lpu_array *a, lpu_array_out *out);
lpu_array_state lpu_array_step(lpu_array *a, const lpu_array_in *in);

/* What quiet_cycles says when nothing happens until an input changes. */
#define LPU_ARRAY_QUIET_FOREVER (UINT64_C(1) << 62)

/* The state that the next step would return with x_valid. */
lpu_array_state lpu_array_peek(const lpu_array *a);

/* The number of further cycles in which, with x_valid and y_ready held, w_valid and cmd_valid held
 * low or their readys low, steps would only count passes or drain beats: 0 when the next step may do
 * anything else, and always 0 with values. Outputs and the state that _step returns are the same in
 * all of these cycles. lpu_array_skip makes that many steps (or fewer) at once; same state as
 * stepping. */
uint64_t lpu_array_quiet_cycles(const lpu_array *a);
void     lpu_array_skip(lpu_array *a, uint64_t cycles);

#endif
