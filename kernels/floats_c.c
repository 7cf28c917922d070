/* kernels/floats_c.c - the passes of floats_body.h. */
#define PASS(op) lpu_##op##_c
#include "kernels/floats_body.h"
