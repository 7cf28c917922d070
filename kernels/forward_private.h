/* kernels/forward_private.h - what the two forward passes share with forward.c. */
#ifndef LPU_KERNELS_FORWARD_PRIVATE_H
#define LPU_KERNELS_FORWARD_PRIVATE_H

#include "kernels/forward.h"
#include "kernels/kernels.h"
#include "kernels/team.h"

#include <stdatomic.h>
#include <stdbool.h>

/* Tokens that go through a layer together, and through one call of attention. */
enum { LPU_FORWARD_CHUNK = 512, LPU_FORWARD_QUERIES = 16 };

/* Every buffer of a pass, freed together. */
typedef struct lpu_pool {
    void *blocks[48];
    size_t bytes[48];
    size_t count;
    bool is_short; /* of memory: some take gave NULL */
} lpu_pool;

/* Zeroed room for count elements, or NULL and is_short. */
void *lpu_pool_take(lpu_pool *pool, size_t count, size_t elem_bytes);
void lpu_pool_close(lpu_pool *pool);

/* What both arithmetics stand on. */
typedef struct lpu_pass {
    const lpu_weights *weights;
    lpu_kernels k;
    lpu_team *team;
    lpu_pool pool;
    uint32_t kv_trits;
    lpu_layout layout; /* of the linear layers */
    double part_ns[LPU_FORWARD_PARTS];
    bool has_screen;  /* the head is screened: worth it where kernels keep up with memory */
    bool has_columns; /* the matrix behind the activation is read by columns (columns.h) */
    _Atomic uint64_t skipped_bytes, skipped_macs; /* of the run in hand (lpu_forward_skips) */
    size_t context_tokens, position;              /* position: tokens in the cache */
    size_t chunk;                                 /* at most LPU_FORWARD_CHUNK */
} lpu_pass;

/* Runs a job of the team; its time is the part's. */
void lpu_pass_run(lpu_pass *pass, lpu_forward_part part,
                  void (*work)(void *arg, size_t member, size_t members), void *arg);

/* The same of the rest, split by token: one token is not worth waking anybody. */
void lpu_pass_run_by_token(lpu_pass *pass, size_t tokens,
                           void (*work)(void *arg, size_t member, size_t members), void *arg);

/* Calls of attention: some heads of one kv head times some tokens, so that the cache is read once
 * for all of them. */
typedef struct lpu_queries {
    size_t head, heads, token, tokens; /* of the call in hand */

    /* Item i: heads from i / cuts * item_heads, tokens from i % cuts * item_tokens. */
    size_t item_heads, item_tokens, cuts, group, all_tokens, next, end;
} lpu_queries;

/* A member's calls for some tokens; the first comes by lpu_queries_next, too. */
lpu_queries lpu_pass_queries(const lpu_pass *pass, size_t tokens, size_t member, size_t members);

/* The next call; false after the last. */
bool lpu_queries_next(lpu_queries *q);

typedef struct lpu_forward_ternary lpu_forward_ternary;
typedef struct lpu_forward_f16 lpu_forward_f16;

/* Each borrows pass. run takes at most pass->chunk tokens, known to be good and to fit; next is
 * the greedy token after the last of them (the lowest index among equals), asked for once, and
 * logits are those that it was chosen from. fill makes up a full cache. close accepts NULL. */
lpu_status lpu_forward_ternary_open(lpu_forward_ternary **f, lpu_pass *pass, lpu_diag *diag);
void lpu_forward_ternary_close(lpu_forward_ternary **f);
void lpu_forward_ternary_run(lpu_forward_ternary *f, const int32_t *tokens, size_t count);
void lpu_forward_ternary_fill(lpu_forward_ternary *f);
lpu_forward_reads lpu_forward_ternary_head_reads(const lpu_forward_ternary *f);
int32_t lpu_forward_ternary_next(lpu_forward_ternary *f);
const int32_t *lpu_forward_ternary_logits(lpu_forward_ternary *f);

lpu_status lpu_forward_f16_open(lpu_forward_f16 **f, lpu_pass *pass, lpu_diag *diag);
void lpu_forward_f16_close(lpu_forward_f16 **f);
void lpu_forward_f16_run(lpu_forward_f16 *f, const int32_t *tokens, size_t count);
void lpu_forward_f16_fill(lpu_forward_f16 *f);
lpu_forward_reads lpu_forward_f16_head_reads(const lpu_forward_f16 *f);
int32_t lpu_forward_f16_next(lpu_forward_f16 *f);
const float *lpu_forward_f16_logits(const lpu_forward_f16 *f);

#endif
