/* sim/layout.h - where everything lies in the LPU's memory, and how a matrix is cut into tiles.
 *
 * A matrix of n rows (outputs) and k columns (inputs), each element `planes` digits, lies in the
 * order in which the array wants it:
 *
 *     row block (R rows) > plane (most significant digit first) > k tile (C columns) > row > line
 *
 * The k tiles of a row share its bytes as evenly as whole bytes allow; so a matrix takes exactly
 * n x planes x bytes(k) and is one contiguous stream. Values of the cache lie column by column:
 * row block of dims > plane > token > line.
 *
 * Memory is a list of regions, each aligned to one row of every bank of every channel: two regions
 * of one kind are then the same to the memory's timing but for the row number.
 */
#ifndef LPU_SIM_LAYOUT_H
#define LPU_SIM_LAYOUT_H

#include "sim/design.h"
#include "workloads/model.h"
#include "workloads/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Digits in memory: elems digits of one plane take whole units. */
typedef struct lpu_format {
    uint32_t planes;
    uint32_t unit_elems, unit_bytes;
} lpu_format;

uint64_t lpu_format_bytes(const lpu_format *f, uint64_t elems);

/* One k tile: columns first..first+elems, in lines of line_bytes. */
typedef struct lpu_ktile {
    uint32_t first, elems, line_bytes;
} lpu_ktile;

/* The number of k tiles of k columns, and the i-th. */
uint32_t  lpu_ktile_count(uint32_t k, uint32_t cols);
lpu_ktile lpu_ktile_at(const lpu_format *f, uint32_t k, uint32_t cols, uint32_t i);

/* How lines are cut, as matmul and kvpack carry it in their words 8 to 10. k tiles: the first `more`
 * have lines of line_bytes + unit_bytes, the others of line_bytes. Row blocks of columns: all have
 * lines of line_bytes but the last, whose lines have `more` bytes. */
typedef struct lpu_cut {
    uint32_t line_bytes, more, pieces;
} lpu_cut;

lpu_cut lpu_cut_ktiles(const lpu_format *f, uint32_t k, uint32_t cols);
lpu_cut lpu_cut_blocks(const lpu_format *f, uint32_t n, uint32_t rows, uint32_t pieces);

typedef enum lpu_region_kind {
    LPU_REGION_TABLES, /* rope rows, final norm, results */
    LPU_REGION_HEAD,   /* a chunk of the head's rows, and their scales */
    LPU_REGION_EMBED,  /* the same of an untied embedding table */
    LPU_REGION_LAYER,  /* one layer's weights and gains */
    LPU_REGION_KV,     /* one layer's cache of one sequence */
} lpu_region_kind;

typedef struct lpu_region {
    lpu_region_kind kind;
    uint64_t        base, bytes;
} lpu_region;

/* The linear matrices of a layer, in the order of execution. */
typedef enum lpu_linear {
    LPU_LINEAR_Q, LPU_LINEAR_K, LPU_LINEAR_V, LPU_LINEAR_O,
    LPU_LINEAR_GATE, LPU_LINEAR_UP, LPU_LINEAR_DOWN, LPU_LINEARS
} lpu_linear;

typedef enum lpu_norm {
    LPU_NORM_ATTN, LPU_NORM_ATTN_SUB, LPU_NORM_FFN, LPU_NORM_FFN_SUB, LPU_NORMS
} lpu_norm;

typedef struct lpu_layout {
    const lpu_model  *model;
    const lpu_design *design;
    uint32_t    batch, capacity_tokens; /* of each cache */
    lpu_format  linear, kv, head;
    uint32_t    act_bytes; /* of one activation: 1 or 2 */
    lpu_region *regions;   /* (region_count) tables, head chunks, embed chunks, layers, caches */
    size_t      region_count, head_first, embed_first, layer_first, kv_first;
    uint32_t    head_chunk_rows, head_chunks;
    uint64_t    bytes; /* of all regions */
    /* Offsets within a layer's region, and within a cache's. */
    uint64_t    linear_at[LPU_LINEARS], norm_at[LPU_NORMS];
    uint64_t    key_head_bytes, value_head_bytes, value_at, key_scale_at, value_scale_at;
    uint64_t    head_scale_at; /* within a head chunk's region */
    uint64_t    rope_at, final_norm_at; /* within the tables */
    uint64_t    result_at; /* the same: best token and its logit, 8 bytes for each sequence */
    uint32_t    value_lines[2]; /* bytes of a value line: full row block, last row block */
    uint64_t    weight_bytes, kv_bytes; /* payload: weights with head, caches */
} lpu_layout;

/* Borrows model and design. Refuses FP16 models on designs that add trits. */
lpu_status lpu_layout_open(lpu_layout *l, const lpu_model *model, const lpu_design *design,
                           uint32_t batch, uint32_t capacity_tokens, lpu_diag *diag);
void       lpu_layout_close(lpu_layout *l);

/* Rows and columns of a layer's matrix; rows is 0 where the model has none. */
void lpu_layout_linear_shape(const lpu_model *m, lpu_linear which, uint32_t *n, uint32_t *k);

/* Byte offset of a key row's k tile: plane p, tile t, of a kv head's token, in its cache region. */
uint64_t lpu_layout_key_at(const lpu_layout *l, uint32_t kv_head, uint32_t token, uint32_t plane,
                           uint32_t ktile);

/* Byte offset of a value line: row block b of dims, plane p, of a kv head's token. */
uint64_t lpu_layout_value_at(const lpu_layout *l, uint32_t kv_head, uint32_t token, uint32_t block,
                             uint32_t plane);

#endif
