/* kernels/packed_write.c - writes packed files: what stays, then matrix after matrix. */
#include "kernels/columns.h"
#include "kernels/cpu.h"
#include "kernels/kernels.h"
#include "kernels/packed.h"
#include "kernels/packed_private.h"
#include "kernels/screen.h"
#include "kernels/stream.h"
#include "workloads/checksum.h"
#include "workloads/gguf_writer.h"
#include "workloads/ternary.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = LPU_GGUF_NAME_BYTES + 1, LINEARS = 7, NORMS = 4 };

/* A model being packed. Pieces are declared, and then written in the same order, by one walk. */
typedef struct packer {
    const lpu_packed_options *o;
    const lpu_gguf *source;
    const lpu_weights *weights;
    lpu_gguf_writer *w;
    lpu_team *team;
    lpu_kernels k;
    bool has_screen, has_columns, is_declaring;
    uint64_t written_bytes, all_bytes;
    lpu_diag *diag;
} packer;

/* Bytes of a tensor: of so many rows, where the reader is to learn that number. */
static lpu_status put_rows(packer *p, const char *name, const void *data, size_t bytes, size_t rows)
{
    if (p->is_declaring) {
        p->all_bytes +=
            lpu_gguf_writer_declare(p->w, name, LPU_QUANT_I8, bytes / (rows ? rows : 1), rows);
        return LPU_OK;
    }
    p->written_bytes += bytes;
    if (p->o->progress) {
        p->o->progress(p->o->user, (double)p->written_bytes / (double)p->all_bytes);
    }
    return lpu_gguf_writer_write(p->w, data, bytes, p->diag);
}

static lpu_status put(packer *p, const char *name, const void *data, size_t bytes)
{
    return put_rows(p, name, data, bytes, 0);
}

/* A norm, as the source has it; not there, as sub-norms may be, is no failure. */
static lpu_status put_norm(packer *p, const char *name)
{
    const lpu_gguf_tensor *t = lpu_gguf_find(p->source, name);

    if (!t) return LPU_OK;
    if (!p->is_declaring) return lpu_gguf_writer_write(p->w, t->data, t->bytes, p->diag);
    (void)lpu_gguf_writer_declare(p->w, name, t->type, t->elems[0], 0);
    return LPU_OK;
}

static lpu_status put_stream(packer *p, const char *name, lpu_layout layout, const lpu_matrix *m)
{
    lpu_stream s;

    if (p->is_declaring) return put(p, name, NULL, lpu_layout_bytes(layout, m->rows, m->cols));
    lpu_status status = lpu_stream_load(&s, layout, m, p->team, p->diag);
    if (status) return status;
    status = put(p, name, s.w, s.bytes);
    lpu_stream_close(&s);
    return status;
}

static lpu_status put_columns(packer *p, const char *name, const lpu_matrix *m)
{
    lpu_columns c;

    if (p->is_declaring) return put(p, name, NULL, m->cols * lpu_layout_column_bytes(m->rows));
    lpu_status status = lpu_columns_open(&c, m, p->team, p->diag);
    if (status) return status;
    status = put(p, name, c.w, c.bytes);
    lpu_columns_close(&c);
    return status;
}

static lpu_status put_linear(packer *p, const char *prefix, const char *name, const lpu_matrix *m,
                             bool is_by_columns)
{
    char full[NAME_BYTES];

    snprintf(full, sizeof(full), "%s%s.weight", prefix, name);
    lpu_status status =
        is_by_columns ? put_columns(p, full, m) : put_stream(p, full, p->o->layout, m);
    snprintf(full, sizeof(full), "%s%s.scales", prefix, name);
    return status ? status : put(p, full, &m->scale, sizeof(m->scale));
}

static lpu_status put_screen(packer *p, const lpu_matrix *head)
{
    lpu_screen *s;
    lpu_status status;

    if (p->is_declaring) {
        return put(p, "output.stream", NULL, lpu_screen_bytes(head->rows, head->cols));
    }
    status = lpu_screen_open(&s, head, &p->k, p->team, p->diag);
    for (size_t i = 0; i < LPU_SCREEN_PIECES && !status; i++) {
        size_t bytes;
        const void *piece = lpu_screen_piece(s, i, &bytes);
        status = put(p, "output.stream", piece, bytes);
    }
    lpu_screen_close(&s);
    return status;
}

static lpu_status put_layer(packer *p, uint32_t index)
{
    static const char *const norms[NORMS] = {"attn_norm", "attn_sub_norm", "ffn_norm",
                                             "ffn_sub_norm"};
    const lpu_layer_weights *l = &p->weights->layer[index];
    const struct {
        const char *name;
        const lpu_matrix *m;
    } linears[LINEARS] = {{"attn_q", &l->q},      {"attn_k", &l->k},  {"attn_v", &l->v},
                          {"attn_output", &l->o}, {"ffn_up", &l->up}, {"ffn_down", &l->down},
                          {"ffn_gate", &l->gate}};
    char prefix[32], name[NAME_BYTES];
    lpu_status status = LPU_OK;

    snprintf(prefix, sizeof(prefix), "blk.%" PRIu32 ".", index);
    for (size_t i = 0; i < NORMS && !status; i++) {
        snprintf(name, sizeof(name), "%s%s.weight", prefix, norms[i]);
        status = put_norm(p, name);
    }
    for (size_t i = 0; i < LINEARS && !status; i++) {
        const bool is_down = linears[i].m == &l->down;
        if (!linears[i].m->rows) continue;
        status = put_linear(p, prefix, linears[i].name, linears[i].m, is_down && p->has_columns);
    }
    return status;
}

static lpu_status put_sum(packer *p)
{
    const uint64_t sum = p->is_declaring ? 0 : lpu_gguf_writer_sum(p->w);
    return put(p, LPU_PACKED_SUM, &sum, sizeof(sum));
}

static lpu_status put_all(packer *p)
{
    const lpu_matrix *embed = &p->weights->embed, *head = &p->weights->head;
    const size_t planes =
        embed->trits * embed->rows * lpu_ternary_bytes(LPU_CODE_BASE3, embed->cols);
    const size_t scales = embed->rows * sizeof(*embed->row_scales);
    lpu_status status = put_norm(p, "rope_freqs.weight");

    if (!status) status = put_norm(p, "output_norm.weight");
    for (uint32_t i = 0; i < p->weights->model.layers && !status; i++) status = put_layer(p, i);
    if (!status) status = put_rows(p, "token_embd.weight", embed->planes, planes, embed->rows);
    if (!status) status = put(p, "token_embd.scales", embed->row_scales, scales);
    if (!status) {
        status = p->has_screen ? put_screen(p, head)
                               : put_stream(p, "output.stream", LPU_LAYOUT_I8, head);
    }
    if (!status && !p->weights->model.is_tied) {
        status = put(p, "output.scales", head->row_scales, scales);
    }
    return status ? status : put_sum(p);
}

/* What was packed, and what from. */
static void put_keys(packer *p, uint32_t allowed)
{
    char text[LPU_PACKED_NAME_BYTES];
    lpu_checksum s;
    size_t bytes;
    const void *data = lpu_gguf_bytes(p->source, &bytes);

    lpu_checksum_init(&s);
    lpu_checksum_add(&s, data, bytes);
    lpu_gguf_writer_copy(p->w, p->source);
    lpu_gguf_writer_align(p->w, LPU_PACKED_ALIGNMENT_BYTES);
    lpu_gguf_writer_put_u32(p->w, "setun.pack.version", LPU_PACKED_VERSION);
    lpu_packed_name(text, &p->weights->model, p->o->layout, allowed);
    lpu_gguf_writer_put_string(p->w, "setun.pack.layout", text);
    lpu_gguf_writer_put_u32(p->w, "setun.pack.head_trits", p->o->head_trits);
    lpu_gguf_writer_put_u32(p->w, "setun.pack.is_binary",
                            p->weights->model.weights == LPU_WEIGHTS_BINARY);
    lpu_gguf_writer_put_f32(p->w, "setun.pack.zero_share", (float)p->weights->model.zero_share);
    snprintf(text, sizeof(text), "%016" PRIx64, lpu_checksum_read(&s));
    lpu_gguf_writer_put_string(p->w, "setun.pack.source", text);
    snprintf(text, sizeof(text), "%zu", bytes);
    lpu_gguf_writer_put_string(p->w, "setun.pack.source_bytes", text);
}

static lpu_status check(const packer *p)
{
    const lpu_model *m = &p->weights->model;

    if (m->weights == LPU_WEIGHTS_FP16) {
        return lpu_fail(p->diag, LPU_ERR_RANGE, "%s has FP16 weights, expected ternary ones",
                        lpu_gguf_name(p->source));
    }
    if (p->o->layout == LPU_LAYOUT_B1 && m->weights != LPU_WEIGHTS_BINARY) {
        return lpu_fail(p->diag, LPU_ERR_RANGE,
                        "%s has weights of zero, which b1 has not, expected b3 or t2",
                        lpu_gguf_name(p->source));
    }
    return LPU_OK;
}

static lpu_status save(packer *p, const char *path)
{
    uint32_t allowed;
    lpu_status status = check(p);

    if (!status) status = lpu_cpu_allowed(&allowed, p->diag);
    if (status) return status;
    lpu_kernels_init(&p->k, allowed);
    p->has_screen = lpu_screen_pays(allowed);
    p->has_columns = lpu_columns_pay(&p->weights->model, p->o->layout, allowed);
    status = lpu_gguf_writer_open(&p->w, path, p->diag);
    if (status) return status;
    put_keys(p, allowed);
    p->is_declaring = true;
    status = put_all(p);
    p->is_declaring = false;
    if (!status) status = put_all(p);
    if (!status) return lpu_gguf_writer_commit(&p->w, p->diag);
    lpu_gguf_writer_close(&p->w);
    return status;
}

lpu_status lpu_packed_save(const char *path, const lpu_gguf *source, const lpu_packed_options *o,
                           lpu_diag *diag)
{
    packer p = {.o = o, .source = source, .diag = diag};
    lpu_weights *weights;
    lpu_status status = lpu_weights_load(&weights, source, o->head_trits, 1, diag);

    if (status) return status;
    p.weights = weights;
    status = lpu_team_open(&p.team, o->threads, diag);
    if (!status) status = save(&p, path);
    lpu_team_close(&p.team);
    lpu_weights_close(&weights);
    return status;
}
