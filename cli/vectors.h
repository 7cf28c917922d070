/* cli/vectors.h - what lpu vectors writes: work for an array, or a program for a whole LPU. Private to
 * cli/vectors*.c. */
#ifndef LPU_CLI_VECTORS_H
#define LPU_CLI_VECTORS_H

#include "cli/array_options.h"
#include "cli/cli.h"

typedef struct lpu_vectors_options {
    lpu_array_options array; /* with is_array */
    const char *out, *model, *design;
    uint32_t seed, sums, tokens, context;
    bool is_array;
} lpu_vectors_options;

/* Both check their options, and write. *is_usage tells that it is the command line that is wrong. */
lpu_status lpu_vectors_array(const lpu_vectors_options *o, bool *is_usage, lpu_diag *diag);
lpu_status lpu_vectors_top(const lpu_vectors_options *o, bool *is_usage, lpu_diag *diag);

/* Makes the folder. */
lpu_status lpu_vectors_folder(const char *dir, lpu_diag *diag);

/* Writes one file of the folder by put. */
lpu_status lpu_vectors_write(const char *dir, const char *name, void (*put)(FILE *, const void *),
                             const void *what, lpu_diag *diag);

/* The bytes as one word for $readmemh: the most significant first. */
void lpu_vectors_put_bytes(FILE *f, const uint8_t *bytes, size_t count);

/* Copies a testbench of the sources; nothing where it cannot be read. */
void lpu_vectors_put_source(FILE *f, const char *path);

#endif
