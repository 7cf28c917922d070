/* kernels/unroll.h - loops over accumulators must vanish, or the accumulators live in memory. */
#ifndef LPU_KERNELS_UNROLL_H
#define LPU_KERNELS_UNROLL_H

/* Before a loop of few, constant turns: gcc at -O2 does not unroll it by itself. */
#define LPU_UNROLL _Pragma("GCC unroll 32")

/* For functions that are templates: their const parameters must be constants. */
#define LPU_INLINE static inline __attribute__((always_inline))

/* Keeps instructions that make v in the order in which they are written. */
#define LPU_KEEP(v) __asm__ volatile("" : "+v"(v))

/* What p points at is loaded where it is used, and takes no register for a whole loop. */
#define LPU_KEEP_POINTER(p) __asm__ volatile("" : "+r"(p))

#endif
