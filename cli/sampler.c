/* cli/sampler.c - sorts, cuts, draws. */
#include "cli/sampler.h"

#include <math.h>
#include <stdlib.h>

typedef struct candidate {
    double logit;
    int32_t id;
} candidate;

struct lpu_sampler {
    size_t vocab, top_k;
    double temperature, top_p;
    uint64_t state;
    double *logits;        /* (vocab) */
    candidate *candidates; /* (vocab) */
};

lpu_status lpu_sampler_open(lpu_sampler **out, size_t vocab, double temperature, size_t top_k,
                            double top_p, uint64_t seed, lpu_diag *diag)
{
    lpu_sampler *s = calloc(1, sizeof(*s));

    *out = s;
    if (s) {
        *s = (lpu_sampler){.vocab = vocab,
                           .top_k = top_k && top_k < vocab ? top_k : vocab,
                           .temperature = temperature,
                           .top_p = top_p,
                           .state = seed,
                           .logits = calloc(vocab, sizeof(*s->logits)),
                           .candidates = calloc(vocab, sizeof(*s->candidates))};
        if (s->logits && s->candidates) return LPU_OK;
    }
    lpu_sampler_close(out);
    return lpu_fail(diag, LPU_ERR_MEMORY, "out of memory");
}

void lpu_sampler_close(lpu_sampler **s)
{
    if (!*s) return;
    free((*s)->logits);
    free((*s)->candidates);
    free(*s);
    *s = NULL;
}

double *lpu_sampler_logits(lpu_sampler *s)
{
    return s->logits;
}

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014, figure 16), 53 bits of it. */
static double next_share(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* The most likely first, of equals the lower id. */
static int compare(const void *a_, const void *b_)
{
    const candidate *a = a_, *b = b_;
    if (a->logit != b->logit) return a->logit > b->logit ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

int32_t lpu_sampler_run(lpu_sampler *s)
{
    candidate *c = s->candidates;
    double total = 0, kept = 0;
    size_t count = 0;

    for (size_t i = 0; i < s->vocab; i++) c[i] = (candidate){s->logits[i], (int32_t)i};
    qsort(c, s->vocab, sizeof(*c), compare);
    const double most = c[0].logit;
    for (size_t i = 0; i < s->top_k; i++) { /* from logits to weights */
        c[i].logit = exp((c[i].logit - most) / s->temperature);
        total += c[i].logit;
    }
    while (count < s->top_k && kept < s->top_p * total) kept += c[count++].logit;
    double left = next_share(&s->state) * kept;
    for (size_t i = 0; i + 1 < count; i++) {
        left -= c[i].logit;
        if (left < 0) return c[i].id;
    }
    return c[count ? count - 1 : 0].id;
}
