/* cli/run_generate.h - greedy tokens of a model by one of three backends, and what they took.
 * Private to cli/run*.c. */
#ifndef LPU_CLI_RUN_GENERATE_H
#define LPU_CLI_RUN_GENERATE_H

#include "cli/cli.h"
#include "energy_model/energy.h"
#include "kernels/forward.h"
#include "sim/session.h"

typedef enum lpu_run_backend { LPU_RUN_CPU, LPU_RUN_FP16, LPU_RUN_SIM } lpu_run_backend;

/* What one phase took. cycles and pj are of the simulated machine: 0 elsewhere. */
typedef struct lpu_run_phase {
    uint64_t tokens, cycles;
    double seconds; /* measured (cpu, fp16) or modelled (sim) */
    double pj;      /* system method */
} lpu_run_phase;

typedef struct lpu_run_job {
    const char *path;
    lpu_run_backend backend;
    uint32_t kv_trits, head_trits, threads;
    lpu_design design; /* sim only, as the prices */
    lpu_prices prices;
    int32_t *prompt; /* (prompt_count) */
    uint32_t prompt_count;
    int32_t *made; /* (count) tokens */
    uint32_t count;
    void (*show)(void *user, int32_t token); /* as each token comes, or NULL */
    void *user;

    /* Results. */
    char model[64];
    lpu_run_phase phases[LPU_PHASE_DECODE + 1];
    double wall_s; /* of all passes, without loading */
} lpu_run_job;

/* Loads path and checks ids and length against it, then makes count tokens. *is_usage tells that it
 * is the command line that does not fit the model. */
lpu_status lpu_run_generate(lpu_run_job *job, bool *is_usage, lpu_diag *diag);

#endif
