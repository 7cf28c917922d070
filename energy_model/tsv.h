/* energy_model/tsv.h - reads a table of prices: a name, a number or `free`, and a source per line.
 *
 *     # a comment line; empty lines are skipped too
 *     lane_adds    0.01    Horowitz, ISSCC 2014, figure 1.1.9
 *     lane_skips   free    a lane held by a zero trit does not toggle
 *
 * Columns are parted by tabs or spaces; the source is the rest of the line.
 */
#ifndef LPU_ENERGY_MODEL_TSV_H
#define LPU_ENERGY_MODEL_TSV_H

#include "workloads/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { LPU_TSV_PATH_BYTES = 512, LPU_TSV_SOURCE_BYTES = 256 };

typedef struct lpu_tsv_row {
    char name[64];
    double value; /* >= 0; 0 where is_free */
    bool is_free;
    char source[LPU_TSV_SOURCE_BYTES];
} lpu_tsv_row;

typedef struct lpu_tsv {
    FILE *file;
    size_t line; /* of the last row read, from 1 */
    char path[LPU_TSV_PATH_BYTES];
} lpu_tsv;

/* Opens energy_model/prices/<prefix><name>.tsv under $LPU_HOME, else beside the source tree; name
 * may carry the prefix already, or be a path that ends in ".tsv". On failure the diag lists the
 * tables. */
lpu_status lpu_tsv_open(lpu_tsv *tsv, const char *prefix, const char *name, lpu_diag *diag);
void lpu_tsv_close(lpu_tsv *tsv);

/* The next row; LPU_DONE at the end of the file. Errors name file and line. */
lpu_status lpu_tsv_read(lpu_tsv *tsv, lpu_tsv_row *row, lpu_diag *diag);

#endif
