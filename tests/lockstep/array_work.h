/* tests/lockstep/array_work.h - tiles for the array, as streams of commands, beats and vectors, and
 * the sums that the definition says must come out. */
#ifndef LPU_TESTS_LOCKSTEP_ARRAY_WORK_H
#define LPU_TESTS_LOCKSTEP_ARRAY_WORK_H

#include "tests/lockstep/array_pair.h"

/* A stream of random numbers (splitmix64): the same seed gives the same numbers anywhere. */
struct array_random {
    uint64_t state;
};
uint64_t array_random_next(array_random *random);
/* 0 .. limit - 1 */
uint32_t array_random_below(array_random *random, uint32_t limit);

/* What a run gives to the array, and what it must give back. */
struct array_work {
    const lpu_array_config *config;
    uint32_t line_bytes;
    std::vector<lpu_array_cmd> cmds;
    std::vector<uint8_t> beats;    /* (beat, lines, line_bytes) */
    std::vector<int8_t> vectors;   /* (vector, cols) */
    std::vector<int32_t> expected; /* (beat of y, out_lanes); past the last row not compared */
    std::vector<uint32_t> counted; /* (beat of y): lanes to compare */
    std::vector<uint32_t> sums;    /* (passes_max, rows): the accumulators, by definition */
};

void array_work_init(array_work *work, const array_pair *pair);

/* Adds one tile. digits: (lines, rows or cols) in {-1, 0, +1}; x: (passes, cols). noise, if not
 * NULL, fills what the array must not look at. */
void array_work_tile(array_work *work, const lpu_array_cmd *cmd, const int8_t *digits,
                     const int8_t *x, array_random *noise);

/* Adds one tile as above with one byte of it replaced by an illegal code: its digits are zeros. */
void array_work_illegal(array_work *work, const lpu_array_cmd *cmd, int8_t *digits, const int8_t *x,
                        uint32_t line, uint32_t byte);

/* Chances, in 1/256, that a stream offers or takes a word in a cycle: 256 is always. */
struct array_stalls {
    uint32_t cmd, w, x, y;
};

/* What a run found. */
struct array_result {
    uint64_t cycles, passes, wrong;          /* wrong: sums that differ from the definition */
    uint64_t first_pass, last_pass, first_y; /* cycles, from the start of the run */
    uint64_t lane_adds;
    bool is_stuck, is_ended; /* ended: everything came out and the array was idle */
    std::string first;       /* the first wrong sum */
};

/* Runs work through both models until idle, or for at most cycles. */
array_result array_work_run(const array_work *work, array_pair *pair, const array_stalls *stalls,
                            array_random *random, uint64_t cycles);

#endif
