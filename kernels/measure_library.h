/* kernels/measure_library.h - the products of other libraries beside ours, where they are installed.
 *
 * oneDNN and OpenBLAS are looked for when they are asked for, and nothing needs them. They multiply
 * FP32, BF16 and int8; our FP16 weights are held against their FP32.
 */
#ifndef LPU_KERNELS_MEASURE_LIBRARY_H
#define LPU_KERNELS_MEASURE_LIBRARY_H

#include "kernels/layout.h"
#include "kernels/sample.h"
#include "workloads/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LPU_MEASURE_LIBRARY_ROWS_MAX = 64 };

typedef struct lpu_measure_library_row {
    const char *name, *type; /* "oneDNN", "BF16" */
    lpu_layout layout;          /* of ours */
    uint32_t threads;
    size_t tokens;
    lpu_sample time, our_time;
    double macs_per_s, our_macs_per_s;
} lpu_measure_library_row;

typedef struct lpu_measure_library {
    bool has_onednn, has_openblas;
    size_t rows, k, count;
    lpu_measure_library_row row[LPU_MEASURE_LIBRARY_ROWS_MAX];
} lpu_measure_library;

/* Times slices of a matrix with each library in turn with ours, for about so many seconds, with 1
 * thread and with threads (0: all cores). LPU_ERR_FORMAT if a library's product is wrong. */
lpu_status lpu_measure_library_run(lpu_measure_library *out, uint32_t threads, double seconds,
                                   lpu_diag *diag);

#endif
