/* cli/run_generate.h - tokens of a model by one of the backends, and what they took.
 * Private to cli/run*.c. */
#ifndef LPU_CLI_RUN_GENERATE_H
#define LPU_CLI_RUN_GENERATE_H

#include "cli/backend.h"
#include "cli/cli.h"
#include "energy_model/energy.h"
#include "workloads/tokenizer.h"

/* What one phase took. cycles and pj are of the modelled machine: 0 elsewhere. */
typedef struct lpu_run_phase {
    uint64_t tokens, cycles;
    double seconds; /* measured or modelled */
    double pj;      /* system method */
} lpu_run_phase;

typedef struct lpu_run_job {
    const char *path;
    const lpu_backend *backend;
    uint32_t kv_trits, head_trits, threads;
    bool has_head_trits; /* they were asked for */
    lpu_design design; /* modelled backends only, as the prices */
    lpu_prices prices;
    const char *text; /* the prompt, or NULL: its ids are in prompt */
    int32_t *prompt;  /* (prompt_count), freed by the caller */
    uint32_t prompt_count;
    int32_t *made;  /* (count) tokens */
    uint32_t count; /* to make; after that, made: fewer where the text ended */
    double temperature, top_p; /* temperature 0: greedy */
    uint32_t top_k, seed;

    /* As each token comes, or NULL; bytes are what it stands for, NULL without --prompt. */
    void (*show)(void *user, int32_t token, const uint8_t *bytes, size_t byte_count);
    void *user;

    /* Results. */
    lpu_tokenizer *tokenizer; /* with text only; closed by the caller */
    char model[64];
    lpu_run_phase phases[LPU_PHASE_DECODE + 1];
    double wall_s; /* of all passes, without loading */
} lpu_run_job;

/* Loads path and checks ids and length against it, then makes count tokens. *is_usage tells that it
 * is the command line that does not fit the model. */
lpu_status lpu_run_generate(lpu_run_job *job, bool *is_usage, lpu_diag *diag);

#endif
