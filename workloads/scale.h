/* workloads/scale.h - the LPU's only scaling number: a 16-bit mantissa and a power of two.
 *
 * value = m * 2^e, with m = 0 or 2^15 <= m < 2^16. Rules of arithmetic: workloads/arithmetic.md.
 * Here is only the type and its load-time conversion: sim and kernels each do the arithmetic on
 * their own, so that their agreement means something.
 */
#ifndef LPU_WORKLOADS_SCALE_H
#define LPU_WORKLOADS_SCALE_H

#include <stdint.h>

typedef struct lpu_scale {
    uint16_t m;
    int16_t  e;
} lpu_scale;

/* Nearest scale to a real number >= 0. */
lpu_scale lpu_scale_from_real(double value);

/* Its exact value. */
double lpu_scale_to_real(lpu_scale s);

#endif
