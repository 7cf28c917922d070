/* sim/image.c - weights into memory, line by line.
 *
 * In base-3 both sides hold rows in the same bytes, and a k tile begins on a byte: lines are
 * copied. Rows of the 2-bit code are recoded first.
 */
#include "sim/image.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef struct writer {
    const lpu_layout *layout;
    const lpu_weights *weights;
    uint8_t *bytes;
    lpu_ktile *tiles; /* (tile_count) of the matrix in hand */
    uint32_t tile_count;
    int8_t *trits; /* one row, and its bytes in the design's code */
    uint8_t *recoded;
    lpu_diag *diag;
} writer;

static lpu_status check(const lpu_layout *l, const lpu_weights *w, lpu_diag *diag)
{
    const lpu_design *d = l->design;

    if (d->lane != LPU_LANE_ADD || d->code == LPU_CODE_B1) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "%s computes no values: found %s, expected lanes that add trits, in base-3 "
                        "or the 2-bit code",
                        d->name, d->lane == LPU_LANE_ADD ? "the 1-bit code" : "MAC lanes");
    }
    if (l->head.planes != w->head_trits) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "%s has a head of %u trits, the weights were loaded with %u, expected the "
                        "same",
                        d->name, l->head.planes, w->head_trits);
    }
    if (w->model.kv_layers != w->model.layers) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "%s: found softmax attention in %u of %u layers, expected it in all",
                        w->model.name, w->model.kv_layers, w->model.layers);
    }
    return LPU_OK;
}

static lpu_status choose_tiles(writer *w, uint32_t k)
{
    const uint32_t cols = w->layout->design->cols;

    free(w->tiles);
    w->tile_count = lpu_ktile_count(k, cols);
    w->tiles = malloc(w->tile_count * sizeof(*w->tiles));
    if (!w->tiles) return lpu_fail(w->diag, LPU_ERR_MEMORY, "image: out of memory");
    for (uint32_t t = 0; t < w->tile_count; t++) {
        w->tiles[t] = lpu_ktile_at(&w->layout->linear, k, cols, t);
    }
    return LPU_OK;
}

/* A packed row in the design's code. */
static lpu_status recode(writer *w, const uint8_t **row, size_t elems)
{
    const lpu_code code = w->layout->design->code;

    if (code == LPU_CODE_BASE3) return LPU_OK;
    const lpu_status status = lpu_ternary_decode(LPU_CODE_BASE3, w->trits, *row, elems, w->diag);
    lpu_ternary_encode(code, w->recoded, w->trits, elems);
    *row = w->recoded;
    return status;
}

/* One plane of a row block; its tiles lie one behind another, rows lines each. */
static lpu_status write_plane(writer *w, uint8_t *to, const lpu_matrix *m, uint32_t plane,
                              size_t first_row, size_t rows)
{
    const size_t row_bytes = lpu_ternary_bytes(LPU_CODE_BASE3, m->cols);
    const uint32_t unit_elems = w->layout->linear.unit_elems;

    for (size_t r = 0; r < rows; r++) {
        const uint8_t *row = m->planes + (plane * m->rows + first_row + r) * row_bytes;
        const lpu_status status = recode(w, &row, m->cols);
        if (status) return status;
        for (uint32_t t = 0; t < w->tile_count; t++) {
            const size_t before = w->tiles[t].first / unit_elems, line = w->tiles[t].line_bytes;
            memcpy(to + rows * before + r * line, row + before, line);
        }
    }
    return LPU_OK;
}

/* Rows first..first+count of a matrix: row block > plane > k tile > row. */
static lpu_status write_rows(writer *w, uint64_t at, const lpu_matrix *m, size_t first,
                             size_t count)
{
    const size_t block_rows = w->layout->design->rows;
    const size_t row_bytes = lpu_format_bytes(&w->layout->linear, m->cols);
    lpu_status status = choose_tiles(w, (uint32_t)m->cols);

    for (size_t r = 0; r < count; r += block_rows) {
        const size_t rows = count - r < block_rows ? count - r : block_rows;
        for (uint32_t p = 0; p < m->trits && !status; p++) {
            status = write_plane(w, w->bytes + at, m, p, first + r, rows);
            at += rows * row_bytes;
        }
    }
    return status;
}

static void write_gain(writer *w, uint64_t at, const lpu_gain *gain)
{
    if (gain->g) memcpy(w->bytes + at, gain->g, gain->elems * sizeof(*gain->g));
}

static lpu_status write_layer(writer *w, size_t i)
{
    const lpu_layout *l = w->layout;
    const lpu_layer_weights *from = &w->weights->layer[i];
    const lpu_matrix *const linear[LPU_LINEARS] = {&from->q,    &from->k,  &from->v,   &from->o,
                                                   &from->gate, &from->up, &from->down};
    const lpu_gain *const norm[LPU_NORMS] = {&from->attn_norm, &from->attn_sub_norm,
                                             &from->ffn_norm, &from->ffn_sub_norm};
    const uint64_t base = l->regions[l->layer_first + i].base;
    lpu_status status = LPU_OK;

    for (int n = 0; n < LPU_LINEARS && !status; n++) {
        if (linear[n]->rows) {
            status = write_rows(w, base + l->linear_at[n], linear[n], 0, linear[n]->rows);
        }
    }
    for (int n = 0; n < LPU_NORMS; n++) write_gain(w, base + l->norm_at[n], norm[n]);
    return status;
}

/* Head or embedding: chunks of rows, each with its scales behind. */
static lpu_status write_table(writer *w, const lpu_matrix *m, size_t first_region)
{
    const lpu_layout *l = w->layout;
    const uint64_t row_bytes = l->head.planes * lpu_format_bytes(&l->head, m->cols);
    lpu_status status = LPU_OK;

    for (uint32_t c = 0; c < l->head_chunks && !status; c++) {
        const size_t first = (size_t)c * l->head_chunk_rows, left = m->rows - first;
        const size_t rows = left < l->head_chunk_rows ? left : l->head_chunk_rows;
        const uint64_t base = l->regions[first_region + c].base;

        status = write_rows(w, base, m, first, rows);
        memcpy(w->bytes + base + (rows * row_bytes + 63) / 64 * 64, m->row_scales + first,
               rows * sizeof(*m->row_scales));
    }
    return status;
}

static lpu_status write_all(writer *w)
{
    const lpu_layout *l = w->layout;
    const lpu_model *m = l->model;
    const uint64_t tables = l->regions[0].base;

    memcpy(w->bytes + tables + l->rope_at, w->weights->rope,
           (size_t)m->context_tokens * m->head_elems * sizeof(*w->weights->rope));
    write_gain(w, tables + l->final_norm_at, &w->weights->output_norm);

    lpu_status status = write_table(w, &w->weights->head, l->head_first);
    if (!status && l->embed_first != l->head_first) {
        status = write_table(w, &w->weights->embed, l->embed_first);
    }
    for (size_t i = 0; i < m->layers && !status; i++) status = write_layer(w, i);
    return status;
}

static size_t longest_row(const lpu_model *m)
{
    const size_t q = (size_t)m->heads * m->head_elems;
    const size_t widest = m->hidden_elems > m->ffn_elems ? m->hidden_elems : m->ffn_elems;

    return q > widest ? q : widest;
}

lpu_status lpu_image_open(lpu_image *image, const lpu_layout *layout, const lpu_weights *weights,
                          lpu_diag *diag)
{
    writer w = {.layout = layout, .weights = weights, .diag = diag};
    lpu_status status = check(layout, weights, diag);

    *image = (lpu_image){0};
    if (status) return status;
    /* Pages of caches and gaps exist only once they are written. */
    void *bytes = mmap(NULL, layout->bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (bytes == MAP_FAILED) {
        return lpu_fail(diag, LPU_ERR_MEMORY, "image: no memory for %llu bytes",
                        (unsigned long long)layout->bytes);
    }
    *image = (lpu_image){bytes, layout->bytes};
    w.bytes = bytes;
    w.trits = malloc(longest_row(layout->model));
    w.recoded = malloc(longest_row(layout->model));
    status = w.trits && w.recoded ? write_all(&w)
                                  : lpu_fail(diag, LPU_ERR_MEMORY, "image: out of memory");
    free(w.tiles);
    free(w.trits);
    free(w.recoded);
    if (status) lpu_image_close(image);
    return status;
}

void lpu_image_close(lpu_image *image)
{
    if (image->bytes) munmap(image->bytes, image->size_bytes);
    *image = (lpu_image){0};
}
