/* workloads/output.h - files that are either whole or not there.
 *
 * Output is written to "<path>.tmp-<pid>" and renamed over path when it is complete, so that a full
 * disk, a kill or an error leaves what was there before.
 */
#ifndef LPU_WORKLOADS_OUTPUT_H
#define LPU_WORKLOADS_OUTPUT_H

#include "workloads/status.h"

#include <stdio.h>

typedef struct lpu_output lpu_output;

/* Opens a temporary file beside path; *file is owned by the output. */
lpu_status lpu_output_open(lpu_output **o, const char *path, FILE **file, lpu_diag *diag);

/* Flushes, checks every earlier write, syncs, closes and renames; frees *o. On failure the temporary
 * file is gone and path is as it was. */
lpu_status lpu_output_commit(lpu_output **o, lpu_diag *diag);

/* Drops the temporary file, if the output was not committed. NULL is welcome. */
void lpu_output_close(lpu_output **o);

/* Writes the shortest decimal that reads back as value: 0.31, not 0.31000000000000000. */
void lpu_output_real(FILE *file, double value);

#endif
