/* cli/ppl_measure.h - how well a model foretells a text, on one backend. Private to cli/ppl*.c. */
#ifndef LPU_CLI_PPL_MEASURE_H
#define LPU_CLI_PPL_MEASURE_H

#include "cli/backend.h"
#include "cli/cli.h"
#include "energy_model/energy.h"
#include "workloads/tokenizer.h"

/* A text as ids. */
typedef struct lpu_ppl_text {
    int32_t *ids; /* (count) */
    size_t count;
    const lpu_tokenizer *tokenizer;
    int32_t bos; /* put before each window, -1: none */
} lpu_ppl_text;

/* The text is cut into windows of context tokens, side by side; in each, the tokens after the first
 * skip + 1 are foretold. skip 0: all but the first. */
typedef struct lpu_ppl_job {
    const lpu_weights *weights;
    const lpu_backend *backend;
    const lpu_design *design;
    uint32_t kv_trits, context, skip, threads;
    lpu_progress *progress; /* shows the share done_before + share_here of it, or NULL */
    double done_before, share_here;
} lpu_ppl_job;

typedef struct lpu_ppl_result {
    uint64_t tokens, bytes; /* that were foretold */
    double nats;            /* the sum of -ln p */
    double seconds;         /* measured */
    uint64_t run_tokens, cycles;  /* of modelled backends: all tokens run, and their clocks */
    lpu_counters counters;
} lpu_ppl_result;

/* LPU_ERR_RANGE where the text is shorter than one window, unless the last one may be short. */
lpu_status lpu_ppl_measure(lpu_ppl_result *result, const lpu_ppl_job *job, const lpu_ppl_text *text,
                           lpu_diag *diag);

double lpu_ppl_loss(const lpu_ppl_result *r);          /* nats per token */
double lpu_ppl_bits_per_byte(const lpu_ppl_result *r);

#endif
