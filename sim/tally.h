/* sim/tally.h - what really went through the array: zeros and changing bits of one operation. */
#ifndef LPU_SIM_TALLY_H
#define LPU_SIM_TALLY_H

#include "workloads/status.h"

#include <stddef.h>
#include <stdint.h>

/* The last row of one product of the operation, kept for the next pass. */
typedef struct lpu_tally_row {
    int8_t  *elems; /* (k of room) */
    uint32_t k, room;
} lpu_tally_row;

typedef struct lpu_tally {
    uint64_t digits, zero_digits; /* trits of the stationary matrix, all planes */
    uint64_t inputs, zero_inputs; /* elements of the rows that go in */
    uint64_t bits, toggled_bits;  /* of inputs, from one row to the next, of this pass or the last */
    lpu_tally_row *rows; /* (room) by product within the operation */
    size_t next, room;
} lpu_tally;

/* A pass begins: its first product follows the first of the pass before. */
void lpu_tally_begin(lpu_tally *t);

/* The (m, k) inputs of one product. */
lpu_status lpu_tally_inputs(lpu_tally *t, const int16_t *x, uint32_t m, uint32_t k, lpu_diag *diag);

/* n digits of a matrix. */
void lpu_tally_digits(lpu_tally *t, const int16_t *digits, uint32_t n);

/* part / whole; assumed where nothing was counted. */
double lpu_tally_share(uint64_t part, uint64_t whole, double assumed);

/* Frees what t holds and empties it. */
void lpu_tally_close(lpu_tally *t);

#endif
