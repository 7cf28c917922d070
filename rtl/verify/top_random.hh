/* rtl/verify/top_random.hh - constrained-random programs: every instruction, shapes around the edges
 * of tiles, lanes and bursts, operands that overlap in time, segments anywhere in memory.
 */
#ifndef LPU_RTL_VERIFY_TOP_RANDOM_HH
#define LPU_RTL_VERIFY_TOP_RANDOM_HH

#include "rtl/verify/top_golden.hh"

/* splitmix64. */
struct top_dice {
    uint64_t state;
    uint64_t next();
    uint32_t below(uint32_t n) { return (uint32_t)(next() % n); }
    uint32_t between(uint32_t low, uint32_t high) { return low + below(high - low + 1); }
    bool chance(uint32_t of_256) { return below(256) < of_256; }
};

/* Memory before the program, and the program. The layout is any one of the design: it gives the
 * instructions' accounts their formats. */
struct top_random {
    std::vector<uint8_t> image;
    top_program program;
    lpu_scale eps, score_scale;
};

/* count operations (an operation is the loads, streams and stores around it, too). */
void top_random_make(top_random *r, const lpu_layout *layout, uint64_t seed, uint32_t count);

/* The part-th of so many programs that do, together, every operation on every side of its edges: products
 * in both directions with 1 to 5 digits, rows and columns below, at and above whole tiles; the others
 * with elements below, at and above the lanes, in one row, a block of rows, several. */
void top_random_every(top_random *r, const lpu_layout *layout, uint64_t seed, uint32_t part,
                      uint32_t parts);

/* One product (n, k) of m rows, in planes digits. */
void top_random_shape(top_random *r, const lpu_layout *layout, uint64_t seed, uint32_t m,
                      uint32_t n, uint32_t k, uint32_t planes);

#endif
