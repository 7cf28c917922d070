/* cli/run_generate.c - one loop for every backend: the prompt, then token after token. */
#include "cli/run_generate.h"

#include "cli/sampler.h"
#include "kernels/packed.h"
#include "workloads/gguf.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct generator {
    lpu_run_job *job;
    lpu_gguf *file;
    lpu_weights *weights;
    lpu_sampler *sampler; /* NULL: greedy */
    void *state;          /* of the backend */
} generator;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the model and the prompt ---- */

/* The ids of the text, with the first token of the file where it asks for one. */
static lpu_status encode_prompt(lpu_run_job *j, const lpu_gguf *g, lpu_diag *diag)
{
    int32_t *ids;
    size_t count;
    lpu_status status = lpu_tokenizer_load(&j->tokenizer, g, diag);

    if (!status) {
        status = lpu_tokenizer_encode_controls(j->tokenizer, j->text, strlen(j->text), &ids, &count,
                                               diag);
    }
    if (status) return status;
    const bool has_bos = lpu_tokenizer_adds_bos(j->tokenizer) || !count;
    j->prompt = malloc((count + 1) * sizeof(*j->prompt));
    if (j->prompt) {
        if (has_bos && lpu_tokenizer_bos(j->tokenizer) >= 0) {
            j->prompt[j->prompt_count++] = lpu_tokenizer_bos(j->tokenizer);
        }
        if (count) memcpy(j->prompt + j->prompt_count, ids, count * sizeof(*ids));
        j->prompt_count += (uint32_t)count;
    }
    free(ids);
    if (!j->prompt) return lpu_fail(diag, LPU_ERR_MEMORY, "out of memory");
    if (j->prompt_count) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_RANGE,
                    "found an empty --prompt, expected a text: %s names no first token", j->path);
}

/* Packed weights are the CPU's, and have the head that they were packed with. */
static lpu_status load_packed(generator *g, lpu_diag *diag)
{
    lpu_run_job *j = g->job;

    if (strcmp(j->backend->name, "cpu")) {
        return lpu_fail(
            diag, LPU_ERR_RANGE,
            "found --backend %s with a packed file, expected cpu, or the GGUF file that "
            "%s was made from",
            j->backend->name, j->path);
    }
    lpu_status status = lpu_packed_load(&g->weights, g->file, 0, diag);
    if (status) return status;
    if (j->has_head_trits && j->head_trits != g->weights->head_trits) {
        return lpu_fail(diag, LPU_ERR_RANGE, "found --head-trits %u, expected %u, as %s was packed",
                        j->head_trits, g->weights->head_trits, j->path);
    }
    j->head_trits = g->weights->head_trits;
    return LPU_OK;
}

static lpu_status load(generator *g, lpu_diag *diag)
{
    lpu_run_job *j = g->job;
    lpu_status status = lpu_gguf_open(&g->file, j->path, diag);

    if (status) return status;
    status = lpu_packed_is(g->file)
                 ? load_packed(g, diag)
                 : lpu_weights_load(&g->weights, g->file, j->head_trits, 0, diag);
    if (!status && j->text) status = encode_prompt(j, g->file, diag);
    if (!status) snprintf(j->model, sizeof(j->model), "%s", g->weights->model.name);
    return status;
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
    if (j->text) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found a --prompt of %u tokens and --tokens %u, which need a context of "
                        "%llu, expected at most %u, the context of %s",
                        j->prompt_count, j->count, (unsigned long long)needed, m->context_tokens,
                        j->path);
    }
    return lpu_fail(diag, LPU_ERR_RANGE,
                    "found %u --tokens and --count %u, which need a context of %llu, expected at "
                    "most %u, the context of %s",
                    j->prompt_count, j->count, (unsigned long long)needed, m->context_tokens,
                    j->path);
}

static lpu_status open_backend(generator *g, lpu_diag *diag)
{
    const lpu_run_job *j = g->job;
    const lpu_backend_request request = {.weights = g->weights,
                                         .design = &j->design,
                                         .path = j->path,
                                         .kv_trits = j->kv_trits,
                                         .context_tokens = j->prompt_count + j->count - 1,
                                         .threads = j->threads};
    lpu_status status = LPU_OK;

    if (j->temperature > 0 && !j->backend->read_logits) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found --temperature with --backend %s, which gives the best token alone, "
                        "expected none",
                        j->backend->name);
    }
    if (j->temperature > 0) {
        status = lpu_sampler_open(&g->sampler, g->weights->model.vocab_elems, j->temperature,
                                  j->top_k, j->top_p, j->seed, diag);
    }
    return status ? status : j->backend->open(&g->state, &request, diag);
}

/* ---- tokens ---- */

static lpu_status run_pass(generator *g, lpu_phase phase, const int32_t *tokens, uint32_t count,
                           int32_t *next, lpu_diag *diag)
{
    const lpu_backend *b = g->job->backend;
    const double begin_s = now_s();
    const lpu_status status = b->run(g->state, tokens, count, next, diag);

    if (!status && g->sampler) {
        b->read_logits(g->state, lpu_sampler_logits(g->sampler), g->weights->model.vocab_elems);
        *next = lpu_sampler_run(g->sampler);
    }
    const double pass_s = now_s() - begin_s;
    g->job->phases[phase].tokens += count;
    if (!b->is_modelled) g->job->phases[phase].seconds += pass_s;
    g->job->wall_s += pass_s;
    return status;
}

static void show(const lpu_run_job *j, int32_t token)
{
    const uint8_t *bytes = NULL;
    size_t count = 0;

    if (!j->show) return;
    if (j->tokenizer) bytes = lpu_tokenizer_token(j->tokenizer, token, &count);
    j->show(j->user, token, bytes, count);
}

static lpu_status make_tokens(generator *g, lpu_diag *diag)
{
    lpu_run_job *j = g->job;
    const int32_t eos = j->tokenizer ? lpu_tokenizer_eos(j->tokenizer) : -1;
    lpu_status status =
        run_pass(g, LPU_PHASE_PREFILL, j->prompt, j->prompt_count, &j->made[0], diag);

    for (uint32_t i = 0; i < j->count && !status; i++) {
        show(j, j->made[i]);
        if (j->made[i] == eos) j->count = i + 1;
        if (i + 1 == j->count) break;
        status = run_pass(g, LPU_PHASE_DECODE, &j->made[i], 1, &j->made[i + 1], diag);
    }
    return status;
}

/* Cycles and joules of the modelled machine. */
static void read_accounts(const generator *g)
{
    for (int phase = 0; phase <= LPU_PHASE_DECODE; phase++) {
        const lpu_session_account *a = g->job->backend->account_of(g->state, (lpu_phase)phase);
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
    lpu_status status = load(&g, diag);
    if (!status) {
        status = check(job, &g.weights->model, diag);
        *is_usage = status != LPU_OK;
    }
    if (!status) status = open_backend(&g, diag);
    if (!status) status = make_tokens(&g, diag);
    if (!status && job->backend->is_modelled) read_accounts(&g);
    if (g.state) job->backend->close(&g.state);
    lpu_sampler_close(&g.sampler);
    lpu_weights_close(&g.weights);
    lpu_gguf_close(&g.file); /* packed weights lie in it */
    return status;
}
