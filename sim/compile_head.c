/* sim/compile_head.c - the two ends of a pass: rows of the embedding table, and the LM head. */
#include "sim/compile_build.h"

static uint32_t chunk_rows(const lpu_layout *l, uint32_t chunk)
{
    const uint32_t first = chunk * l->head_chunk_rows, left = l->model->vocab_elems - first;
    return left < l->head_chunk_rows ? left : l->head_chunk_rows;
}

static uint64_t scale_offset(const lpu_layout *l, uint32_t chunk)
{
    const uint64_t row = l->head.planes * lpu_format_bytes(&l->head, l->model->hidden_elems);
    return (chunk_rows(l, chunk) * row + 63) / 64 * 64;
}

/* Gathers one plane of one table row: the lines of its k tiles, which lie a block of rows apart. */
static void load_plane(lpu_build *b, uint64_t at, size_t region, uint64_t plane_offset,
                       uint32_t block_rows, uint32_t row)
{
    const lpu_layout *l = b->layout;
    const uint32_t k = b->model->hidden_elems, cols = b->design->cols;
    const uint32_t tiles = lpu_ktile_count(k, cols);
    uint64_t offset = plane_offset;

    for (uint32_t t = 0; t < tiles;) {
        const uint32_t line = lpu_ktile_at(&l->head, k, cols, t).line_bytes;
        uint32_t same = 1;
        while (t + same < tiles && lpu_ktile_at(&l->head, k, cols, t + same).line_bytes == line) {
            same++;
        }
        lpu_insn insn = lpu_build_insn(LPU_INSN_load);
        insn.dst = LPU_BUF_EMBED;
        insn.d_off = (uint32_t)at;
        insn.addr = offset + (uint64_t)row * line;
        insn.segs = same;
        insn.seg_bytes = line;
        insn.stride = block_rows * line;
        lpu_build_emit(b, insn, LPU_OP_embed, region);
        at += (uint64_t)same * line;
        offset += (uint64_t)same * block_rows * line;
        t += same;
    }
}

static void load_table_row(lpu_build *b, uint32_t id, uint32_t slot)
{
    const lpu_layout *l = b->layout;
    const uint64_t plane_bytes = lpu_format_bytes(&l->head, b->model->hidden_elems);
    const uint64_t row_bytes = l->head.planes * plane_bytes;
    const uint32_t chunk = id / l->head_chunk_rows, in_chunk = id % l->head_chunk_rows;
    const uint32_t rows = b->design->rows, block = in_chunk / rows;
    const uint32_t left = chunk_rows(l, chunk) - block * rows;
    const uint32_t block_rows = left < rows ? left : rows;
    const size_t region = l->embed_first + chunk;

    for (uint32_t p = 0; p < l->head.planes; p++) {
        load_plane(b, slot * row_bytes + p * plane_bytes, region,
                   (uint64_t)block * rows * row_bytes + (uint64_t)p * block_rows * plane_bytes,
                   block_rows, in_chunk % rows);
    }
    lpu_build_load(b, LPU_OP_embed, LPU_BUF_EMBED, (b->rows * row_bytes + 3) / 4 * 4 + 4 * slot,
                   region, scale_offset(l, chunk) + 4 * (uint64_t)in_chunk, 4);
}

void lpu_build_embed(lpu_build *b, uint32_t first_row)
{
    const int32_t *ids = b->request->tokens;
    lpu_insn insn = lpu_build_insn(LPU_INSN_embed);

    for (uint32_t i = 0; i < b->rows; i++) {
        /* Without ids, rows spread over the table as a text's would. */
        const uint32_t id =
            ids ? (uint32_t)ids[first_row + i]
                : (uint32_t)((first_row + i + 1ull) * 2654435761u % b->model->vocab_elems);
        load_table_row(b, id, i);
    }
    insn.dst = LPU_BUF_X;
    insn.a = LPU_BUF_EMBED;
    insn.m = b->rows;
    insn.n = b->model->hidden_elems;
    insn.planes = (uint8_t)b->layout->head.planes;
    insn.d_stride = insn.n;
    lpu_build_emit(b, insn, LPU_OP_embed, UINT32_MAX);
}

/* Best tokens and their logits go where the host reads them. */
static void store_results(lpu_build *b, uint32_t rows)
{
    lpu_insn insn = lpu_build_insn(LPU_INSN_store);
    insn.a = LPU_BUF_RESULT;
    insn.addr = b->layout->result_at + 8ull * b->sequence;
    insn.segs = 1;
    insn.seg_bytes = 8 * rows;
    lpu_build_emit(b, insn, LPU_OP_argmax, 0);
}

void lpu_build_head(lpu_build *b, uint32_t rows, uint64_t x_off)
{
    const lpu_layout *l = b->layout;
    const uint32_t h = b->model->hidden_elems;
    const uint64_t row_bytes = l->head.planes * lpu_format_bytes(&l->head, h);

    lpu_build_norm(b, LPU_OP_final_norm, LPU_BUF_X, x_off, rows, h, LPU_NORMS, false);
    lpu_build_end_segment(b, LPU_INSN_sync);
    for (uint32_t chunk = 0; chunk < l->head_chunks; chunk++) {
        const size_t region = l->head_first + chunk;
        lpu_insn product = lpu_build_insn(LPU_INSN_matmul);
        lpu_insn best = lpu_build_insn(LPU_INSN_argmax);

        lpu_build_load(b, LPU_OP_argmax, LPU_BUF_ROWSCALE, 0, region, scale_offset(l, chunk),
                       4 * (uint64_t)chunk_rows(l, chunk));
        lpu_build_stream(b, LPU_OP_lm_head, region, 0, chunk_rows(l, chunk) * row_bytes);
        product.dst = best.a = LPU_BUF_LOGITS;
        product.a = best.b = LPU_BUF_ACT;
        product.m = best.m = rows;
        product.n = best.n = chunk_rows(l, chunk);
        product.k = best.k = h;
        product.planes = (uint8_t)l->head.planes;
        product.a_stride = h;
        lpu_build_cut(&product, lpu_cut_ktiles(&l->head, h, b->design->cols));
        product.d_stride = best.a_stride = product.n;
        best.dst = LPU_BUF_RESULT;
        best.c = LPU_BUF_ROWSCALE;
        best.d_off = chunk * l->head_chunk_rows;
        if (!chunk) best.flags |= LPU_FLAG_FIRST;
        lpu_build_emit(b, product, LPU_OP_lm_head, UINT32_MAX);
        lpu_build_emit(b, best, LPU_OP_argmax, UINT32_MAX);
        if (chunk + 1 < l->head_chunks) lpu_build_end_segment(b, LPU_INSN_sync);
    }
    store_results(b, rows);
}
