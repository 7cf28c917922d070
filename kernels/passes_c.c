/* kernels/passes_c.c - the passes over a row, portable. */
#define PASS(op) lpu_##op##_c
#define PASS_ABSMAX
#define PASS_POSMAX
#define PASS_ADDSAT
#define PASS_WIDE
#define PASS_GATE
#define PASS_SIGMOID
#include "kernels/passes_body.h"
