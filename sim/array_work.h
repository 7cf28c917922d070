/* sim/array_work.h - work to judge an array by: tiles as streams of commands, beats and vectors,
 * and the sums that the definition says must come out. Cases of it are in sim/array_cases.h.
 *
 *     acc[p][r] = base + sum over k of w[r][k] * x[p][k],  base = 0, acc[p][r] or 3 acc[p][r]
 *
 * in scalar code and modulo 2^32; nothing of sim/unit_array.c is used.
 */
#ifndef LPU_SIM_ARRAY_WORK_H
#define LPU_SIM_ARRAY_WORK_H

#include "sim/unit_array.h"
#include "workloads/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A beat of y: which tile let its bank drain, and which sums of it these are. */
typedef struct lpu_array_beat {
    uint32_t tile;  /* index into cmds */
    uint32_t tiles; /* that were added up in it, this one included */
    uint32_t pass, row;
    uint32_t lanes; /* that are compared: the rest lies past the last row */
} lpu_array_beat;

typedef struct lpu_array_work {
    lpu_array_config config;
    uint32_t line_bytes;
    lpu_array_cmd *cmds; /* (cmd_count) */
    uint8_t *beats;      /* (beat_count, lines, line_bytes) */
    int8_t *vectors;     /* (vector_count, cols) */
    lpu_array_beat *ys;  /* (y_count) */
    int32_t *expected;   /* (y_count, out_lanes); 0 in lanes that are not compared */
    size_t cmd_count, beat_count, vector_count, y_count;
    size_t cmd_room, beat_room, vector_room, y_room;
    uint32_t *sums;  /* (passes_max, rows): the accumulators, by definition */
    uint32_t tiles;  /* in the sums so far */
    uint64_t random; /* state of the stream of random numbers */
    bool is_short;   /* memory ran out: the work is not complete */
} lpu_array_work;

/* Checks config as lpu_array_open does. */
lpu_status lpu_array_work_open(lpu_array_work *w, const lpu_array_config *config, uint64_t seed,
                               lpu_diag *diag);
void lpu_array_work_close(lpu_array_work *w);
/* No tiles; the random stream goes on. */
void lpu_array_work_clear(lpu_array_work *w);

/* splitmix64: the same seed gives the same numbers anywhere. */
uint64_t lpu_array_work_next(uint64_t *state);
uint32_t lpu_array_work_below(uint64_t *state, uint32_t limit); /* 0 .. limit - 1 */

/* Adds one tile. digits: (lines, rows or cols) in {-1, 0, +1}; x: (passes, cols). With has_noise,
 * what the array must not look at is random. */
void lpu_array_work_tile(lpu_array_work *w, const lpu_array_cmd *cmd, const int8_t *digits,
                         const int8_t *x, bool has_noise);

/* The same with one byte of a line replaced by a code that no digits have: they count as zeros. */
void lpu_array_work_illegal(lpu_array_work *w, const lpu_array_cmd *cmd, int8_t *digits,
                            const int8_t *x, uint32_t line, uint32_t byte);

#endif
