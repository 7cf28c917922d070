/* tests/lockstep/array_pair.h - the verilated array and its C model, clocked side by side.
 *
 * Only array_pair.cc knows the verilated class; the programs around it are compiled once for all
 * configurations.
 */
#ifndef LPU_TESTS_LOCKSTEP_ARRAY_PAIR_H
#define LPU_TESTS_LOCKSTEP_ARRAY_PAIR_H

#include <cstdint>
#include <string>
#include <vector>

extern "C" {
#include "sim/unit_array.h"
}

struct array_rtl;

struct array_pair {
    lpu_array_config config;
    uint32_t line_bytes;
    array_rtl *rtl;             /* owned */
    lpu_array *sim;             /* owned */
    uint64_t cycles;            /* since open */
    uint64_t differences;       /* signals that differed, over all cycles */
    std::string first;          /* the first of them: cycle, signal, both values */
    std::vector<uint8_t> noise; /* on data ports that carry nothing */
    std::vector<int32_t> y;     /* (out_lanes), the last beat taken from the RTL */
};

/* What both agreed on, before the clock edge. */
struct array_cycle {
    bool cmd_taken, w_taken, x_taken, y_taken, is_idle;
    lpu_array_state state;
    const int32_t *y_data; /* (out_lanes), of the RTL, if y_taken */
    uint32_t lane_adds;
};

void array_pair_open(array_pair *pair, uint64_t seed);
void array_pair_close(array_pair *pair);
/* Both in reset, mid-flight or not. */
void array_pair_reset(array_pair *pair);
/* One clock of both: outputs compared first, then the edge. */
array_cycle array_pair_step(array_pair *pair, const lpu_array_in *in);

#endif
