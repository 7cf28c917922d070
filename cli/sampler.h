/* cli/sampler.h - the next token: the greedy one, or one drawn from the likely ones. */
#ifndef LPU_CLI_SAMPLER_H
#define LPU_CLI_SAMPLER_H

#include "workloads/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct lpu_sampler lpu_sampler;

/* Divides logits by temperature, keeps the top_k most likely (0: all) and of those the fewest whose
 * shares reach top_p, and draws. The same seed and logits make the same tokens. */
lpu_status lpu_sampler_open(lpu_sampler **s, size_t vocab, double temperature, size_t top_k,
                            double top_p, uint64_t seed, lpu_diag *diag);
void lpu_sampler_close(lpu_sampler **s);

/* Where the caller puts the (vocab) logits, in nats; run draws from them. */
double *lpu_sampler_logits(lpu_sampler *s);
int32_t lpu_sampler_run(lpu_sampler *s);

#endif
