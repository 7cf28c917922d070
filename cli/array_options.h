/* cli/array_options.h - the options that say which array: shared by lpu verify and lpu vectors. */
#ifndef LPU_CLI_ARRAY_OPTIONS_H
#define LPU_CLI_ARRAY_OPTIONS_H

#include "cli/cli.h"

#include "sim/unit_array.h"

typedef struct lpu_array_options {
    uint32_t rows, cols, lines, passes, lanes;
    const char *code;
} lpu_array_options;

/* Those of rtl/lpu_array.v. */
#define LPU_ARRAY_OPTIONS_DEFAULT                                                                  \
    {                                                                                              \
        .rows = 8, .cols = 10, .lines = 1, .passes = 4, .lanes = 4, .code = "base3"                \
    }

/* Rows of an lpu_option table for the lpu_array_options o. */
/* clang-format off */
#define LPU_ARRAY_OPTION_ROWS(o)                                                                    \
    {"--rows", "R", "rows of the array (8)", NULL, &(o).rows, NULL},                                \
    {"--cols", "C", "columns, a multiple of the code's digits per byte (10)", NULL, &(o).cols, NULL}, \
    {"--lines", "L", "lines of a tile in one beat of weights (1)", NULL, &(o).lines, NULL},         \
    {"--code", "CODE", "of the weights: base3, 2bit or 1bit (base3)", &(o).code, NULL, NULL},       \
    {"--passes", "P", "vectors that a bank of accumulators holds (4)", NULL, &(o).passes, NULL},    \
    {"--lanes", "N", "sums in a beat of y, a divisor of the rows (4)", NULL, &(o).lanes, NULL}
/* clang-format on */

/* The configuration with values, if there can be such an array. */
lpu_status lpu_array_options_read(const lpu_array_options *o, lpu_array_config *config,
                                  lpu_diag *diag);

/* The root of the sources: $LPU_HOME, else where this program was built. */
const char *lpu_array_options_home(void);

#endif
