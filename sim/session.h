/* sim/session.h - text generation on the simulated machine: values and time of one program.
 *
 * Every pass is traced, compiled for its tokens, timed on the machine and executed on memory and
 * scratchpad. The values are those of workloads/arithmetic.md, the cycles those of lpu_simulate.
 */
#ifndef LPU_SIM_SESSION_H
#define LPU_SIM_SESSION_H

#include "sim/design.h"
#include "workloads/counters.h"
#include "workloads/trace.h"
#include "workloads/weights.h"

#include <stddef.h>
#include <stdint.h>

/* What the passes of one phase took. */
typedef struct lpu_session_account {
    uint64_t tokens, cycles;
    lpu_counters counters;
} lpu_session_account;

typedef struct lpu_session lpu_session;

/* Borrows the weights, copies the design. The cache holds capacity_tokens. Refuses, with a
 * sentence, a design that does not add trits or has other head trits than the weights. */
lpu_status lpu_session_open(lpu_session **s, const lpu_weights *weights, const lpu_design *design,
                            uint32_t capacity_tokens, lpu_diag *diag);
void lpu_session_close(lpu_session **s);

/* Empties the cache; the accounts go on. */
void lpu_session_rewind(lpu_session *s);

/* Runs tokens[0..count) after those in the cache, as one pass: decode where it is a single token
 * and the cache is not empty, else prefill. *next is the greedy next token. LPU_ERR_RANGE when the
 * cache is full or an id is not in the vocabulary: nothing has been run then. */
lpu_status lpu_session_run(lpu_session *s, const int32_t *tokens, size_t count, int32_t *next,
                           lpu_diag *diag);

/* Counts what goes through the array from now on, by operation, and forgets what was counted. */
lpu_status lpu_session_record(lpu_session *s, lpu_diag *diag);

/* The trace of the last pass; once recorded, with the shares of all passes since then: of zero
 * weights (digits of all planes), of zero inputs, and of input bits that change from one row to the
 * next, be it of the same pass or the one before. Owned by s; NULL before the first pass. */
const lpu_trace *lpu_session_trace(lpu_session *s);

/* Logits of the last token run: X32, (vocab), owned by s. */
const int32_t *lpu_session_logits_x32(const lpu_session *s);

/* All passes of a phase since the session was opened. */
const lpu_session_account *lpu_session_account_of(const lpu_session *s, lpu_phase phase);

#endif
