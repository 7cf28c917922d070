/* kernels/passes_c.c - the passes over a row, portable. */
#define PASS(op) lpu_##op##_c
#define PASS_ABSMAX
#define PASS_ADDSAT
#define PASS_WIDE
#include "kernels/passes_body.h"
