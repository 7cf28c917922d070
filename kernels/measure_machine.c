/* kernels/measure_machine.c - the limits of a machine (measure_limits.c) without a bench around. */
#include "kernels/measure_machine.h"

#include "kernels/measure_private.h"
#include "kernels/memory.h"

#include <stdlib.h>
#include <string.h>

enum {
    POOL_BYTES = 512 << 20, /* larger than the caches that a machine of few sockets has */
    READS = 40,             /* at a time, so that a few may be disturbed */
};

static const lpu_measure_options no_options;

lpu_status lpu_measure_machine_open(lpu_measure_machine **out, uint32_t threads, lpu_diag *diag)
{
    uint32_t allowed;
    lpu_status status = lpu_cpu_allowed(&allowed, diag);

    *out = NULL;
    if (status) return status;
    lpu_bench *b = calloc(1, sizeof(*b));
    if (!b) return lpu_fail(diag, LPU_ERR_MEMORY, "measure: out of memory");
    b->options = &no_options;
    b->pool_bytes = POOL_BYTES;
    b->pool = lpu_memory_open(b->pool_bytes);
    if (!b->pool) status = lpu_fail(diag, LPU_ERR_MEMORY, "measure: no memory to be read");
    if (!status) status = lpu_team_open(&b->team, threads, diag);
    if (!status) {
        memset(b->pool, 1, b->pool_bytes); /* pages that were never written are one page */
        lpu_kernels_init(&b->k, allowed);
    }
    *out = b;
    if (status) lpu_measure_machine_close(out);
    return status;
}

void lpu_measure_machine_close(lpu_measure_machine **m)
{
    if (!*m) return;
    lpu_team_close(&(*m)->team);
    lpu_memory_close((*m)->pool, (*m)->pool_bytes);
    free(*m);
    *m = NULL;
}

void lpu_measure_machine_limits(lpu_measure_machine *m, lpu_measure_limits *limits, double seconds)
{
    lpu_team_pin_caller(m->team);
    lpu_bench_measure_limits(m, limits, seconds);
    lpu_team_unpin_caller(m->team);
}

void lpu_measure_machine_read(lpu_measure_machine *m)
{
    lpu_team_pin_caller(m->team);
    lpu_bench_sample_read(m, READS);
    lpu_team_unpin_caller(m->team);
}

double lpu_measure_machine_rate(lpu_measure_machine *m, lpu_measure_limits *limits)
{
    lpu_bench_keep_read(m, limits);
    return m->read_bytes_per_s;
}
