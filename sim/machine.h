/* sim/machine.h - the cycle-level LPU: runs a program segment by segment and counts.
 *
 * One machine is one clock domain and one thread. A segment starts with every unit empty and the
 * memory settled, so what it takes does not depend on what ran before. Two runs of one segment give
 * the same counters, bit for bit, whether every cycle is stepped or quiet ones are skipped. What a
 * unit does in a cycle is told in sim/unit_*.c.
 */
#ifndef LPU_SIM_MACHINE_H
#define LPU_SIM_MACHINE_H

#include "sim/layout.h"
#include "sim/port.h"
#include "sim/program.h"
#include "workloads/counters.h"
#include "workloads/trace.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct lpu_machine lpu_machine;

/* One instruction's time in its unit, for timelines. */
typedef struct lpu_machine_event {
    lpu_unit unit;
    uint8_t  insn;
    uint32_t op;    /* index into the trace */
    size_t   index; /* into the program */
    uint64_t begin_cycles, end_cycles; /* issue; the cycle after retirement; from the segment's start */
} lpu_machine_event;

typedef void lpu_machine_watch_fn(void *user, const lpu_machine_event *event);

/* Borrows the layout (and its design). */
lpu_status lpu_machine_open(lpu_machine **m, const lpu_layout *layout, bool is_stepped,
                            lpu_diag *diag);
void       lpu_machine_close(lpu_machine **m);

/* Reports every retirement of later runs to watch; NULL to stop. */
void lpu_machine_watch(lpu_machine *m, lpu_machine_watch_fn *watch, void *user);

/* Later runs see the memory stall so; it does not by default. */
void lpu_machine_stall(lpu_machine *m, const lpu_port_stalls *stalls);

/* Later runs ask this memory (copied; NULL: their own). Its cycles begin anew with each segment. */
void lpu_machine_attach(lpu_machine *m, const lpu_port_remote *remote);

/* What a segment took. */
typedef struct lpu_machine_run_result {
    uint64_t cycles;
    uint64_t stepped_cycles; /* really stepped: the rest was skipped */
} lpu_machine_run_result;

/* Runs segment s of program. Writes to ops[i] the counters that op i of the trace caused (its cycles
 * in run_cycles and the stalls; DRAM commands shared out by bytes), and to begin_cycles[i] the first
 * cycle in which op i was the oldest at work, UINT64_MAX if it never was. LPU_ERR_TIMEOUT if the
 * program cannot go on; diag then names the instruction. */
lpu_status lpu_machine_run(lpu_machine *m, const lpu_program *program, size_t s,
                           const lpu_trace *trace, lpu_counters *ops, uint64_t *begin_cycles,
                           lpu_machine_run_result *result, lpu_diag *diag);

#endif
