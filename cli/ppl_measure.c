/* cli/ppl_measure.c - token after token through a backend, and -ln p of each next one. */
#include "cli/ppl_measure.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

typedef struct measure {
    const lpu_ppl_job *job;
    const lpu_ppl_text *text;
    lpu_ppl_result *result;
    void *state;
    double *logits; /* (vocab) */
} measure;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* -ln of the share of token among the exponentials. */
static double nats_of(const double *logits, size_t vocab, int32_t token)
{
    double most = logits[0], sum = 0;

    for (size_t i = 1; i < vocab; i++) most = fmax(most, logits[i]);
    for (size_t i = 0; i < vocab; i++) sum += exp(logits[i] - most);
    return log(sum) + most - logits[token];
}

/* ids[0..count): the tokens before first_scored and the first of all are only read. */
static lpu_status run_window(measure *m, const int32_t *ids, size_t count, size_t skip,
                             lpu_diag *diag)
{
    const lpu_backend *b = m->job->backend;
    const size_t vocab = m->job->weights->model.vocab_elems;
    lpu_status status = LPU_OK;
    int32_t next;

    b->rewind(m->state);
    if (m->text->bos >= 0) status = b->run(m->state, &m->text->bos, 1, &next, diag);
    for (size_t i = 0; i + 1 < count && !status; i++) {
        status = b->run(m->state, &ids[i], 1, &next, diag);
        if (status || i < skip) continue;
        size_t bytes;
        b->read_logits(m->state, m->logits, vocab);
        lpu_tokenizer_token(m->text->tokenizer, ids[i + 1], &bytes);
        m->result->nats += nats_of(m->logits, vocab, ids[i + 1]);
        m->result->bytes += bytes;
        m->result->tokens++;
    }
    return status;
}

/* Whole windows; a text shorter than one is a window by itself. */
static lpu_status run_windows(measure *m, lpu_diag *diag)
{
    const lpu_ppl_job *j = m->job;
    const size_t context = m->text->count < j->context ? m->text->count : j->context;
    const size_t windows = m->text->count / context;
    lpu_status status = LPU_OK;

    for (size_t i = 0; i < windows && !status; i++) {
        status = run_window(m, m->text->ids + i * context, context, j->skip, diag);
        if (!j->progress) continue;
        const double share = (double)(i + 1) / (double)windows;
        lpu_progress_show(j->progress, j->done_before + j->share_here * share);
    }
    return status;
}

static void read_accounts(const measure *m)
{
    lpu_ppl_result *r = m->result;

    for (int phase = 0; phase <= LPU_PHASE_DECODE; phase++) {
        const lpu_session_account *a = m->job->backend->account_of(m->state, (lpu_phase)phase);
        r->run_tokens += a->tokens;
        r->cycles += a->cycles;
        lpu_counters_add(&r->counters, &a->counters, 1);
    }
}

lpu_status lpu_ppl_measure(lpu_ppl_result *result, const lpu_ppl_job *job, const lpu_ppl_text *text,
                           lpu_diag *diag)
{
    measure m = {.job = job, .text = text, .result = result};
    const lpu_backend_request request = {.weights = job->weights,
                                         .design = job->design,
                                         .kv_trits = job->kv_trits,
                                         .context_tokens = job->context + (text->bos >= 0),
                                         .threads = job->threads};

    *result = (lpu_ppl_result){0};
    if (text->count < job->skip + (size_t)2) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found a text of %zu tokens, expected at least %u: the first %u are only "
                        "read",
                        text->count, job->skip + 2, job->skip + 1);
    }
    m.logits = malloc(job->weights->model.vocab_elems * sizeof(*m.logits));
    if (!m.logits) return lpu_fail(diag, LPU_ERR_MEMORY, "out of memory");
    lpu_status status = job->backend->open(&m.state, &request, diag);
    const double begin_s = now_s();
    if (!status) status = run_windows(&m, diag);
    result->seconds = now_s() - begin_s;
    if (!status && job->backend->is_modelled) read_accounts(&m);
    if (m.state) job->backend->close(&m.state);
    free(m.logits);
    return status;
}

double lpu_ppl_loss(const lpu_ppl_result *r)
{
    return r->nats / (double)r->tokens;
}

double lpu_ppl_bits_per_byte(const lpu_ppl_result *r)
{
    return r->nats * 1.4426950408889634 / (double)r->bytes; /* log2(e) */
}
