/* workloads/scale.c - between real numbers and scales, when a model is loaded. */
#include "workloads/scale.h"

#include <math.h>

lpu_scale lpu_scale_from_real(double value)
{
    if (!(value > 0.0)) return (lpu_scale){0, 0};

    int exponent;
    double fraction = frexp(value, &exponent); /* 0.5 <= fraction < 1 */
    long m = lround(fraction * 65536.0);
    if (m == 65536) {
        m = 32768;
        exponent++;
    }
    return (lpu_scale){(uint16_t)m, (int16_t)(exponent - 16)};
}

double lpu_scale_to_real(lpu_scale s)
{
    return ldexp((double)s.m, s.e);
}
