/* kernels/passes_avx2.c - the passes that gain from AVX2, which has no 64-bit arithmetic shift. */
#define PASS(op) lpu_##op##_avx2
#define PASS_ABSMAX
#define PASS_POSMAX
#define PASS_ADDSAT
#include "kernels/passes_body.h"
