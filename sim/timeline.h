/* sim/timeline.h - what each unit did when, as Chrome trace JSON (also read by Perfetto).
 *
 * One track per unit, one slice per instruction: from issue, or from the end of the slice before
 * it, to retirement. A microsecond on the screen is one LPU microsecond.
 */
#ifndef LPU_SIM_TIMELINE_H
#define LPU_SIM_TIMELINE_H

#include "sim/machine.h"

typedef struct lpu_timeline lpu_timeline;

/* Starts watching machine (borrowed, with trace) and writing to a temporary file beside path. */
lpu_status lpu_timeline_open(lpu_timeline **t, const char *path, lpu_machine *machine,
                             const lpu_trace *trace, uint32_t clock_mhz, lpu_diag *diag);

/* The next segment starts at this cycle of the whole run. */
void lpu_timeline_at(lpu_timeline *t, uint64_t start_cycles);

/* Completes the file and gives it its name; frees *t. */
lpu_status lpu_timeline_commit(lpu_timeline **t, lpu_diag *diag);

/* Drops the file if it was not committed. NULL is welcome. */
void lpu_timeline_close(lpu_timeline **t);

#endif
