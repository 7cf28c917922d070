/* cli/backend.h - what a model can be run on, a row each: lpu run and lpu ppl know no other way.
 *
 * The integer backends compute workloads/arithmetic.md, each in its own way, and agree on every
 * logit. To add one: write its functions, add its row in cli/backend.c.
 */
#ifndef LPU_CLI_BACKEND_H
#define LPU_CLI_BACKEND_H

#include "sim/session.h"
#include "workloads/weights.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What open needs. weights and design are borrowed; design is of modelled backends. */
typedef struct lpu_backend_request {
    const lpu_weights *weights;
    const lpu_design  *design;
    const char        *path; /* of the GGUF file that the weights are from */
    uint32_t           kv_trits, context_tokens, threads;
} lpu_backend_request;

typedef struct lpu_backend {
    const char *name, *text;
    bool        is_modelled; /* has a design, cycles and energy; times are not of this CPU */
    bool        has_trits;   /* of the cache and the head */
    lpu_status (*open)(void **state, const lpu_backend_request *request, lpu_diag *diag);
    void (*close)(void **state);

    void (*rewind)(void *state); /* empties the cache */

    /* Runs tokens after those in the cache; *next is the greedy next one. */
    lpu_status (*run)(void *state, const int32_t *tokens, size_t count, int32_t *next,
                      lpu_diag *diag);

    /* Logits of the last token run, in nats; NULL where the machine keeps them to itself. */
    void (*read_logits)(const void *state, double *logits, size_t vocab);

    /* NULL where nothing is modelled. */
    const lpu_session_account *(*account_of)(const void *state, lpu_phase phase);
} lpu_backend;

/* A row by its index or name; NULL if there is none. */
const lpu_backend *lpu_backend_at(size_t index);
const lpu_backend *lpu_backend_named(const char *name);

/* As lpu_backend_named, with a sentence that lists the names. */
lpu_status lpu_backend_find(const lpu_backend **backend, const char *name, lpu_diag *diag);

#endif
