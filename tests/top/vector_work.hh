/* tests/top/vector_work.hh - random instructions for the vector unit, with operands where they say. */
#ifndef LPU_TESTS_TOP_VECTOR_WORK_HH
#define LPU_TESTS_TOP_VECTOR_WORK_HH

extern "C" {
#include "sim/exec.h"
}

#include <cstdint>

enum { LANES = VECTOR_LANES, ROWS = VECTOR_ROWS, COLS = VECTOR_COLS, PORT = 4 * LANES };
enum { ZONES = 6, ZONE_BYTES = 1 << 18, SCRATCH_BYTES = ZONES * ZONE_BYTES, GUARD_BYTES = 4096 };
enum { A_AT = 0, B_AT = 1 << 16, C_AT = 2 << 16, D_AT = 3 << 16, BUFFER_BYTES = 1 << 16 };

/* The zones of the scratchpad are of one instruction each: a, b, c, dst. */
struct work {
    lpu_insn insn;
    uint32_t base[4]; /* dst, a, b, c: bytes */
};

static const lpu_code code = VECTOR_CODE ? LPU_CODE_T2 : LPU_CODE_BASE3;
static const lpu_scale unit = {32768, -15}; /* 1 */

void seed_random(uint64_t seed);
uint32_t below(uint32_t n);
uint32_t between(uint32_t a, uint32_t b);
bool one_in(uint32_t n);

/* A scale of exponent low to high; now and then zero. */
lpu_scale draw_scale(int32_t low, int32_t high);

/* An instruction of op; its operands are written to the zone of scratch. The execution's buffers of
 * the zone are dst, a, b and c from 4 zone on. is_score_unit: the scale of scores is 1. */
work make(uint8_t *scratch, uint32_t zone, uint8_t op, bool is_score_unit);

#endif
