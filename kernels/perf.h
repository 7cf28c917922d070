/* kernels/perf.h - the processor's own counters (perf), where the system lets them be read. */
#ifndef LPU_KERNELS_PERF_H
#define LPU_KERNELS_PERF_H

#include <stdbool.h>
#include <stdint.h>

enum { LPU_PERF_EVENTS = 2 };

/* Of this thread and of those that it starts from now on, in user mode. */
typedef struct lpu_perf {
    int fd[LPU_PERF_EVENTS]; /* -1: closed */
    uint64_t last[LPU_PERF_EVENTS];
} lpu_perf;

/* Counters of perf_event_open(2): type and config of each. */
typedef struct lpu_perf_event {
    uint32_t type;
    uint64_t config;
} lpu_perf_event;

/* events (LPU_PERF_EVENTS) NULL: cycles, instructions. false where there are none, as in many
 * virtual machines, or where they may not be read; nothing is held then. */
bool lpu_perf_open(lpu_perf *p, const lpu_perf_event *events);

/* Counts since the last read, or since it was opened. Where counters took turns with those of other
 * programs, scaled to the whole time. */
bool lpu_perf_read(lpu_perf *p, uint64_t *counts);

void lpu_perf_close(lpu_perf *p);

#endif
