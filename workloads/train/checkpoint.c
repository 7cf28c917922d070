/* workloads/train/checkpoint.c - the state of a training: an identity, then raw numbers.
 *
 *   "SETUNCK1" | identity | step | latent weights, first moments, second moments (float32)
 */
#include "workloads/output.h"
#include "workloads/train/train_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* What must be equal for the same bytes to follow. No padding. */
typedef struct identity {
    char magic[8];
    uint32_t hidden, ffn, vocab, layers, heads, kv_heads, head_elems, context, activation, is_twin;
    uint32_t batch, steps, warmup_steps, schedule;
    uint64_t seed, token_count, token_hash;
    double peak_rate, weight_decay, clip_norm, rope_theta, norm_eps;
    uint64_t step;
} identity;

static identity identity_of(const lpu_train *t)
{
    const lpu_train_options *o = &t->options;
    const lpu_model *m = &o->model;
    return (identity){.magic = {'S', 'E', 'T', 'U', 'N', 'C', 'K', '1'},
                      .hidden = m->hidden_elems,
                      .ffn = m->ffn_elems,
                      .vocab = m->vocab_elems,
                      .layers = m->layers,
                      .heads = m->heads,
                      .kv_heads = m->kv_heads,
                      .head_elems = m->head_elems,
                      .context = m->context_tokens,
                      .activation = (uint32_t)m->activation,
                      .is_twin = o->is_twin,
                      .batch = o->batch,
                      .steps = o->steps,
                      .warmup_steps = o->warmup_steps,
                      .schedule = (uint32_t)o->schedule,
                      .seed = o->seed,
                      .token_count = t->token_count,
                      .token_hash = t->token_hash,
                      .peak_rate = o->peak_rate,
                      .weight_decay = o->weight_decay,
                      .clip_norm = o->clip_norm,
                      .rope_theta = m->rope_theta,
                      .norm_eps = m->norm_eps,
                      .step = t->step};
}

lpu_status lpu_train_save(const lpu_train *t, const char *path, lpu_diag *diag)
{
    const identity id = identity_of(t);
    lpu_output *out;
    FILE *file;
    lpu_status status = lpu_output_open(&out, path, &file, diag);

    if (status) return status;
    if (fwrite(&id, sizeof(id), 1, file) != 1 ||
        fwrite(t->state, sizeof(*t->state), 3 * t->elems, file) != 3 * t->elems) {
        status = lpu_fail(diag, LPU_ERR_IO, "%s: cannot write: %s", path, strerror(errno));
    }
    if (!status) status = lpu_output_commit(&out, diag);
    lpu_output_close(&out);
    return status;
}

static lpu_status read_state(lpu_train *t, FILE *file, float *state, const char *path,
                             lpu_diag *diag)
{
    const identity own = identity_of(t);
    identity id;

    if (fread(&id, sizeof(id), 1, file) != 1 || memcmp(id.magic, own.magic, sizeof(id.magic))) {
        return lpu_fail(diag, LPU_ERR_FORMAT, "%s: is no checkpoint of lpu train", path);
    }
    if (memcmp(&id, &own, offsetof(identity, step)) || id.step > id.steps) {
        return lpu_fail(diag, LPU_ERR_FORMAT,
                        "%s: the checkpoint is of other options or another text (%u layers of %u, "
                        "%u steps, seed %llu)",
                        path, id.layers, id.hidden, id.steps, (unsigned long long)id.seed);
    }
    if (fread(state, sizeof(*state), 3 * t->elems, file) != 3 * t->elems || fgetc(file) != EOF) {
        return lpu_fail(diag, LPU_ERR_FORMAT, "%s: expected %zu bytes in all", path,
                        sizeof(id) + 3 * t->elems * sizeof(*state));
    }
    t->step = (uint32_t)id.step;
    return LPU_OK;
}

lpu_status lpu_train_load(lpu_train *t, const char *path, lpu_diag *diag)
{
    FILE *file = fopen(path, "rb");
    float *state = calloc(t->elems, 3 * sizeof(*state));
    lpu_status status;

    if (!file) status = lpu_fail(diag, LPU_ERR_IO, "%s: %s", path, strerror(errno));
    else if (!state) status = lpu_fail(diag, LPU_ERR_MEMORY, "%s: out of memory", path);
    else status = read_state(t, file, state, path, diag);
    if (file) fclose(file);
    if (status) {
        free(state);
        return status;
    }
    free(t->state);
    t->state = state;
    lpu_train_refresh(t);
    return LPU_OK;
}
