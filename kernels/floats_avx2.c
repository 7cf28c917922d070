/* kernels/floats_avx2.c - the passes of floats_body.h. */
#define PASS(op) lpu_##op##_avx2
#include "kernels/floats_body.h"
