/* kernels/floats_avx512vnni.c - the passes of floats_body.h. */
#define PASS(op) lpu_##op##_avx512vnni
#include "kernels/floats_body.h"
