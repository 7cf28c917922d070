/* cli/backend.c - the rows: the CPU's integers, FP16, the simulated machine, its RTL. */
#include "cli/backend.h"
#include "cli/backend_rtl.h"

#include "kernels/forward.h"

#include <stdio.h>
#include <string.h>

enum { NAMES_BYTES = 128 };

/* ---- this CPU ---- */

static lpu_status open_cpu(void **state, const lpu_backend_request *r, lpu_diag *diag)
{
    return lpu_forward_open((lpu_forward **)state, r->weights, LPU_FORWARD_TERNARY, r->kv_trits,
                            r->context_tokens, r->threads, diag);
}

static lpu_status open_fp16(void **state, const lpu_backend_request *r, lpu_diag *diag)
{
    return lpu_forward_open((lpu_forward **)state, r->weights, LPU_FORWARD_FP16, r->kv_trits,
                            r->context_tokens, r->threads, diag);
}

static void close_forward(void **state)
{
    lpu_forward_close((lpu_forward **)state);
}

static void rewind_forward(void *state)
{
    lpu_forward_rewind(state);
}

static lpu_status run_forward(void *state, const int32_t *tokens, size_t count, int32_t *next,
                              lpu_diag *diag)
{
    return lpu_forward_run(state, tokens, count, next, diag);
}

/* An X32 logit has 16 fractional bits (workloads/arithmetic.md, section 1). */
static void scale_x32(double *logits, const int32_t *x32, size_t vocab)
{
    for (size_t i = 0; i < vocab; i++) logits[i] = x32[i] * 0x1p-16;
}

static void read_cpu(const void *state, double *logits, size_t vocab)
{
    scale_x32(logits, lpu_forward_logits_x32(state), vocab);
}

static void read_fp16(const void *state, double *logits, size_t vocab)
{
    const float *from = lpu_forward_logits_f32(state);
    for (size_t i = 0; i < vocab; i++) logits[i] = (double)from[i];
}

/* ---- the simulated machine ---- */

static lpu_status open_sim(void **state, const lpu_backend_request *r, lpu_diag *diag)
{
    return lpu_session_open((lpu_session **)state, r->weights, r->design, r->context_tokens, diag);
}

static void close_sim(void **state)
{
    lpu_session_close((lpu_session **)state);
}

static void rewind_sim(void *state)
{
    lpu_session_rewind(state);
}

static lpu_status run_sim(void *state, const int32_t *tokens, size_t count, int32_t *next,
                          lpu_diag *diag)
{
    return lpu_session_run(state, tokens, count, next, diag);
}

static void read_sim(const void *state, double *logits, size_t vocab)
{
    scale_x32(logits, lpu_session_logits_x32(state), vocab);
}

static const lpu_session_account *account_sim(const void *state, lpu_phase phase)
{
    return lpu_session_account_of(state, phase);
}

/* ---- the table ---- */

static const lpu_backend cpu = {.name = "cpu",
                                .text = "integers of the LPU",
                                .has_trits = true,
                                .open = open_cpu,
                                .close = close_forward,
                                .rewind = rewind_forward,
                                .run = run_forward,
                                .read_logits = read_cpu};

static const lpu_backend fp16 = {.name = "fp16",
                                 .text = "FP16",
                                 .open = open_fp16,
                                 .close = close_forward,
                                 .rewind = rewind_forward,
                                 .run = run_forward,
                                 .read_logits = read_fp16};

static const lpu_backend sim = {.name = "sim",
                                .text = "the machine, cycle by cycle",
                                .is_modelled = true,
                                .has_trits = true,
                                .open = open_sim,
                                .close = close_sim,
                                .rewind = rewind_sim,
                                .run = run_sim,
                                .read_logits = read_sim,
                                .account_of = account_sim};

static const lpu_backend *const backends[] = {&cpu, &fp16, &sim, &lpu_backend_rtl};

enum { BACKENDS = sizeof(backends) / sizeof(backends[0]) };

const lpu_backend *lpu_backend_at(size_t index)
{
    return index < BACKENDS ? backends[index] : NULL;
}

const lpu_backend *lpu_backend_named(const char *name)
{
    for (size_t i = 0; i < BACKENDS; i++) {
        if (!strcmp(backends[i]->name, name)) return backends[i];
    }
    return NULL;
}

lpu_status lpu_backend_find(const lpu_backend **backend, const char *name, lpu_diag *diag)
{
    char names[NAMES_BYTES];
    size_t used = 0;

    *backend = lpu_backend_named(name);
    if (*backend) return LPU_OK;
    for (size_t i = 0; i < BACKENDS; i++) {
        const char *before = !i ? "" : i + 1 == BACKENDS ? " or " : ", ";
        used +=
            (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", before, backends[i]->name);
    }
    return lpu_fail(diag, LPU_ERR_RANGE, "found --backend %s, expected %s", name, names);
}
