/* workloads/weights_packed.c - finds the tensors of a packed file and points into them. */
#include "workloads/weights_packed.h"

#include "workloads/ternary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Exponents that a scale of any float has, and more. */
enum { EXPONENT_MAX = 512 };

/* A tensor of bytes: so many, or any number where bytes is 0. */
static lpu_status find_bytes(const lpu_weights_packed *p, const char *name, uint64_t bytes,
                             const lpu_gguf_tensor **t)
{
    *t = lpu_gguf_find(p->g, name);
    if (!*t) {
        return lpu_fail(p->diag, LPU_ERR_FORMAT, "%s: tensor %s is missing", lpu_gguf_name(p->g),
                        name);
    }
    if ((*t)->type != LPU_QUANT_I8 || (bytes && (*t)->bytes != bytes)) {
        return lpu_fail(p->diag, LPU_ERR_FORMAT,
                        "%s: tensor %s is %" PRIu64 " bytes of %s, expected %" PRIu64 " of I8",
                        lpu_gguf_name(p->g), name, (*t)->bytes,
                        lpu_quants_find((uint32_t)(*t)->type)->name, bytes ? bytes : (*t)->bytes);
    }
    p->is_used[*t - lpu_gguf_tensor_at(p->g, 0)] = true;
    return LPU_OK;
}

/* Scales are normalised, and of exponents that 16 bits do not overflow in a product. */
static lpu_status find_scales(const lpu_weights_packed *p, const char *name, size_t count,
                              const lpu_scale **scales)
{
    const lpu_gguf_tensor *t;
    lpu_status status = find_bytes(p, name, count * sizeof(lpu_scale), &t);

    if (status) return status;
    if ((uintptr_t)t->data % _Alignof(lpu_scale)) {
        return lpu_fail(p->diag, LPU_ERR_FORMAT, "%s: tensor %s begins at an odd byte",
                        lpu_gguf_name(p->g), name);
    }
    *scales = t->data;
    for (size_t i = 0; i < count; i++) {
        const lpu_scale s = (*scales)[i];
        if (!s.m || (s.m >= 1 << 15 && s.e >= -EXPONENT_MAX && s.e <= EXPONENT_MAX)) continue;
        return lpu_fail(p->diag, LPU_ERR_FORMAT,
                        "%s: tensor %s: scale %zu is %u 2^%d, expected 0 or a mantissa of 32768 to "
                        "65535 and an exponent of at most %d",
                        lpu_gguf_name(p->g), name, i, s.m, s.e, EXPONENT_MAX);
    }
    return LPU_OK;
}

lpu_status lpu_weights_packed_linear(const lpu_weights_packed *p, lpu_matrix *m, const char *prefix,
                                     const char *name, uint32_t rows, uint32_t cols)
{
    char full[96];
    const lpu_gguf_tensor *t;
    const lpu_scale *scale;

    snprintf(full, sizeof(full), "%s%s.weight", prefix, name);
    lpu_status status = find_bytes(p, full, 0, &t);
    snprintf(full, sizeof(full), "%s%s.scales", prefix, name);
    if (!status) status = find_scales(p, full, 1, &scale);
    if (status) return status;
    *m = (lpu_matrix){.rows = rows,
                      .cols = cols,
                      .trits = 1,
                      .scale = *scale,
                      .real_scale = (float)lpu_scale_to_real(*scale),
                      .stream = t->data,
                      .stream_bytes = t->bytes};
    return LPU_OK;
}

lpu_status lpu_weights_packed_embed(const lpu_weights_packed *p, lpu_matrix *embed,
                                    lpu_matrix *head, uint32_t trits, uint32_t rows, uint32_t cols,
                                    bool is_tied)
{
    const uint64_t bytes = (uint64_t)trits * rows * lpu_ternary_bytes(LPU_CODE_BASE3, cols);
    const lpu_gguf_tensor *planes, *stream;
    const lpu_scale *of_embed, *of_head = NULL;
    lpu_status status = find_bytes(p, "token_embd.weight", bytes, &planes);

    if (!status) status = find_scales(p, "token_embd.scales", rows, &of_embed);
    if (!status) status = find_bytes(p, "output.stream", 0, &stream);
    if (!status && !is_tied) status = find_scales(p, "output.scales", rows, &of_head);
    if (status) return status;

    /* Nobody writes to them: the file is mapped to be read. */
    *embed = (lpu_matrix){.rows = rows,
                          .cols = cols,
                          .trits = trits,
                          .planes = (uint8_t *)(uintptr_t)planes->data,
                          .row_scales = (lpu_scale *)(uintptr_t)of_embed};
    *head = *embed;
    head->stream = stream->data;
    head->stream_bytes = stream->bytes;
    if (is_tied) return LPU_OK;
    head->planes = NULL;
    head->row_scales = (lpu_scale *)(uintptr_t)of_head;
    return LPU_OK;
}
