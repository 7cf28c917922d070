/* kernels/passes_avx512vnni.c - the passes over a row with AVX-512. */
#define PASS(op) lpu_##op##_avx512vnni
#define PASS_ABSMAX
#define PASS_ADDSAT
#define PASS_WIDE
#include "kernels/passes_body.h"
