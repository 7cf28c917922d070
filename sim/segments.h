/* sim/segments.h - runs a compiled pass on the machine, each distinct segment once, and adds up.
 *
 * A segment begins with the machine drained and the memory settled: what one of several equal ones
 * took, all of them take. Private to simulate and session.
 */
#ifndef LPU_SIM_SEGMENTS_H
#define LPU_SIM_SEGMENTS_H

#include "sim/machine.h"
#include "sim/simulate.h"
#include "sim/timeline.h"

typedef struct lpu_segments_request {
    const lpu_layout *layout;
    const lpu_program *program;
    lpu_machine *machine;
    lpu_timeline *timeline;                          /* or NULL */
    bool is_unshared;                                /* run equal segments each time */
    void (*progress)(void *user, double share_done); /* or NULL */
    void *user;
} lpu_segments_request;

/* Fills result, whose trace is set and everything else zero, but for wall_s. On failure, too, it is
 * the caller's to close. */
lpu_status lpu_segments_run(lpu_sim_result *result, const lpu_segments_request *request,
                            lpu_diag *diag);

#endif
