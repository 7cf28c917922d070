/* cli/run_generate.c - one loop for the CPU, FP16 and the simulated machine. */
#include "cli/run_generate.h"

#include <time.h>

typedef struct generator {
    lpu_run_job *job;
    lpu_weights *weights;
    lpu_forward *forward; /* one of the two */
    lpu_session *session;
} generator;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Ids in the vocabulary; prompt and new tokens, but for the last, in the context. */
static lpu_status check(const lpu_run_job *j, const lpu_model *m, lpu_diag *diag)
{
    const uint64_t needed = (uint64_t)j->prompt_count + j->count - 1;

    for (uint32_t i = 0; i < j->prompt_count; i++) {
        if ((uint32_t)j->prompt[i] < m->vocab_elems) continue;
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found id %d at place %u of --tokens, expected 0 to %u: %s has %u ids",
                        j->prompt[i], i + 1, m->vocab_elems - 1, j->path, m->vocab_elems);
    }
    if (needed <= m->context_tokens) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_RANGE,
                    "found %u --tokens and --count %u, which need a context of %llu, expected at "
                    "most %u, the context of %s",
                    j->prompt_count, j->count, (unsigned long long)needed, m->context_tokens,
                    j->path);
}

static lpu_status open_backend(generator *g, lpu_diag *diag)
{
    const lpu_run_job *j = g->job;
    const uint32_t context = j->prompt_count + j->count - 1;

    if (j->backend == LPU_RUN_SIM) {
        return lpu_session_open(&g->session, g->weights, &j->design, context, diag);
    }
    return lpu_forward_open(&g->forward, g->weights,
                            j->backend == LPU_RUN_CPU ? LPU_FORWARD_TERNARY : LPU_FORWARD_FP16,
                            j->kv_trits, context, j->threads, diag);
}

static lpu_status run_pass(generator *g, lpu_phase phase, const int32_t *tokens, uint32_t count,
                           int32_t *next, lpu_diag *diag)
{
    const double begin_s = now_s();
    const lpu_status status = g->session ? lpu_session_run(g->session, tokens, count, next, diag)
                                         : lpu_forward_run(g->forward, tokens, count, next, diag);
    const double pass_s = now_s() - begin_s;

    g->job->phases[phase].tokens += count;
    if (!g->session) g->job->phases[phase].seconds += pass_s;
    g->job->wall_s += pass_s;
    return status;
}

static lpu_status make_tokens(generator *g, lpu_diag *diag)
{
    lpu_run_job *j = g->job;
    lpu_status status =
        run_pass(g, LPU_PHASE_PREFILL, j->prompt, j->prompt_count, &j->made[0], diag);

    for (uint32_t i = 0; i < j->count && !status; i++) {
        if (j->show) j->show(j->user, j->made[i]);
        if (i + 1 == j->count) break;
        status = run_pass(g, LPU_PHASE_DECODE, &j->made[i], 1, &j->made[i + 1], diag);
    }
    return status;
}

/* Cycles and joules of the simulated machine. */
static void read_accounts(const generator *g)
{
    for (int phase = 0; phase <= LPU_PHASE_DECODE; phase++) {
        const lpu_session_account *a = lpu_session_account_of(g->session, (lpu_phase)phase);
        lpu_run_phase *to = &g->job->phases[phase];
        double component_pj[LPU_COMPONENTS];

        to->cycles = a->cycles;
        to->seconds = (double)a->cycles / (1e6 * g->job->design.clock_mhz);
        to->pj = lpu_energy_system_pj(&g->job->prices, &a->counters, component_pj);
    }
}

lpu_status lpu_run_generate(lpu_run_job *job, bool *is_usage, lpu_diag *diag)
{
    generator g = {.job = job};

    *is_usage = false;
    lpu_status status = lpu_weights_open(&g.weights, job->path, job->head_trits, 0, diag);
    if (!status) {
        status = check(job, &g.weights->model, diag);
        *is_usage = status != LPU_OK;
        snprintf(job->model, sizeof(job->model), "%s", g.weights->model.name);
    }
    if (!status) status = open_backend(&g, diag);
    if (!status) status = make_tokens(&g, diag);
    if (!status && g.session) read_accounts(&g);
    lpu_session_close(&g.session);
    lpu_forward_close(&g.forward);
    lpu_weights_close(&g.weights);
    return status;
}
