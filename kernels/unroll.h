/* kernels/unroll.h - loops over accumulators must vanish, or the accumulators live in memory. */
#ifndef LPU_KERNELS_UNROLL_H
#define LPU_KERNELS_UNROLL_H

/* Before a loop of few, constant turns: gcc at -O2 does not unroll it by itself. */
#define LPU_UNROLL _Pragma("GCC unroll 32")

/* For functions that are templates: their const parameters must be constants. */
#define LPU_INLINE static inline __attribute__((always_inline))

#endif
