/* sim/array_cases.h - directed, random and matrix work for an array of any configuration. */
#ifndef LPU_SIM_ARRAY_CASES_H
#define LPU_SIM_ARRAY_CASES_H

#include "sim/array_work.h"

/* The directed cases. Each function adds its tiles to the work; which of them is the same for a
 * given configuration, their values are the work's random numbers. */
typedef struct lpu_array_case {
    const char *name, *text; /* text: what a fault that shows here is about */
    void (*add)(lpu_array_work *w);
} lpu_array_case;
extern const lpu_array_case lpu_array_cases[]; /* ends with a NULL name */

/* Tiles of random shapes and values, added up in sums of random lengths. */
void lpu_array_cases_random(lpu_array_work *w, uint32_t sums);

/* y = W x for a ternary W (rows, cols), two digits in five zero, cut into tiles. LPU_ERR_FORMAT if
 * the sums of the tiles are not those of the whole rows. */
lpu_status lpu_array_cases_matrix(lpu_array_work *w, uint32_t rows, uint32_t cols, lpu_diag *diag);

#endif
