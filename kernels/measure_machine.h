/* kernels/measure_machine.h - this machine at its best, to be looked at again and again while
 * something else is measured: its memory may change while that goes on. */
#ifndef LPU_KERNELS_MEASURE_MACHINE_H
#define LPU_KERNELS_MEASURE_MACHINE_H

#include "kernels/measure.h"

/* A team, and memory for it to read. */
typedef struct lpu_bench lpu_measure_machine;

lpu_status lpu_measure_machine_open(lpu_measure_machine **m, uint32_t threads, lpu_diag *diag);
void lpu_measure_machine_close(lpu_measure_machine **m);

/* Everything, in about so many seconds; limits keeps what was better before. */
void lpu_measure_machine_limits(lpu_measure_machine *m, lpu_measure_limits *limits, double seconds);

/* Reads memory some times. */
void lpu_measure_machine_read(lpu_measure_machine *m);

/* Bytes per second of the reads since the last call; NaN where they are too noisy. limits takes
 * note. */
double lpu_measure_machine_rate(lpu_measure_machine *m, lpu_measure_limits *limits);

#endif
