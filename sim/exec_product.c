/* sim/exec_product.c - the stream FIFO and the array's products, in the array's own order:
 * row block > plane > k tile > line.
 *
 * The FIFO is a list of descriptors: a product takes its lines straight from memory. No store goes
 * under a stream that waits, so memory still holds what the FIFO would.
 */
#include "sim/exec_private.h"
#include "sim/layout.h"

#include <stdlib.h>
#include <string.h>

/* ---- the FIFO ---- */

lpu_status lpu_exec_stream_push(lpu_exec *e)
{
    const lpu_insn *i = e->insn;

    if (e->first == e->count) e->first = e->count = 0;
    if (e->count == e->room) {
        const size_t room = e->room ? 2 * e->room : 64;
        lpu_exec_stream *more = realloc(e->queue, room * sizeof(*more));
        if (!more) return lpu_fail(e->diag, LPU_ERR_MEMORY, "exec: out of memory");
        e->queue = more;
        e->room = room;
    }
    e->queue[e->count++] = (lpu_exec_stream){
        .addr = i->addr, .seg_bytes = i->seg_bytes, .segs = i->segs, .stride = i->stride};
    return LPU_OK;
}

lpu_status lpu_exec_stream_check(lpu_exec *e)
{
    if (e->first == e->count) return LPU_OK;
    return lpu_exec_refuse(e, "waiting streams:", e->count - e->first, "an empty FIFO");
}

bool lpu_exec_stream_overlaps(const lpu_exec *e, uint64_t addr, uint64_t bytes)
{
    for (size_t i = e->first; i < e->count; i++) {
        const lpu_exec_stream *s = &e->queue[i];
        for (uint32_t g = 0; g < s->segs; g++) {
            const uint64_t at = s->addr + (uint64_t)g * s->stride;
            if (at < addr + bytes && addr < at + s->seg_bytes) return true;
        }
    }
    return false;
}

/* Moves over bytes of the first segment that waits. */
static const uint8_t *advance(lpu_exec *e, uint32_t bytes)
{
    lpu_exec_stream *s = &e->queue[e->first];
    const uint8_t *at = e->config.memory + s->addr + s->offset;

    s->offset += bytes;
    if (s->offset < s->seg_bytes) return at;
    s->offset = 0;
    s->addr += s->stride;
    if (!--s->segs) e->first++;
    return at;
}

/* The next bytes of the FIFO: a line. NULL where it holds fewer. */
static const uint8_t *take(lpu_exec *e, uint32_t bytes)
{
    uint32_t got = 0;

    if (e->first < e->count && e->queue[e->first].seg_bytes - e->queue[e->first].offset >= bytes) {
        return advance(e, bytes);
    }
    while (got < bytes && e->first < e->count) {
        const lpu_exec_stream *s = &e->queue[e->first];
        const uint32_t left = s->seg_bytes - s->offset, wanted = bytes - got;
        const uint32_t part = left < wanted ? left : wanted;
        memcpy(e->line + got, advance(e, part), part);
        got += part;
    }
    return got == bytes ? e->line : NULL;
}

/* ---- how lines are cut ---- */

/* k tiles of a row of elems: the first `segs` have a byte more than seg_bytes. */
static lpu_status check_ktiles(const lpu_exec *e, uint32_t elems)
{
    const lpu_insn *i = e->insn;
    const lpu_format format = {1, e->per_byte, 1};

    for (uint32_t t = 0; t < i->stride; t++) {
        const uint32_t bytes = lpu_ktile_at(&format, elems, e->config.cols, t).line_bytes;
        if (i->seg_bytes + (t < i->segs) != bytes) {
            return lpu_fail(e->diag, LPU_ERR_FORMAT,
                            "%s: found a cut with lines of %u bytes in k tile %u, expected %u",
                            lpu_insn_name(i->op), i->seg_bytes + (t < i->segs), t, bytes);
        }
    }
    return LPU_OK;
}

/* Row blocks of n digits: seg_bytes in a full one, segs in the last. */
static lpu_status check_blocks(const lpu_exec *e)
{
    const lpu_insn *i = e->insn;
    const lpu_format format = {1, e->per_byte, 1};
    const uint32_t rows = e->config.rows, last = i->n - (i->n - 1) / rows * rows;
    const uint64_t full_bytes = lpu_format_bytes(&format, rows);
    const uint64_t last_bytes = lpu_format_bytes(&format, last);

    if (i->seg_bytes == full_bytes && i->segs == last_bytes) return LPU_OK;
    return lpu_fail(e->diag, LPU_ERR_FORMAT,
                    "%s: found a cut with lines of %u and %u bytes, expected %u and %u",
                    lpu_insn_name(i->op), i->seg_bytes, i->segs, (uint32_t)full_bytes,
                    (uint32_t)last_bytes);
}

lpu_status lpu_exec_check_cut(const lpu_exec *e)
{
    const lpu_insn *i = e->insn;
    const bool is_product = i->op == LPU_INSN_matmul;
    const bool has_blocks = is_product ? i->flags & LPU_FLAG_COLUMN : i->mode;
    const uint32_t elems = is_product ? i->k : i->n;
    const uint32_t side = is_product || !has_blocks ? e->config.cols : e->config.rows;
    const uint32_t pieces = lpu_ktile_count(elems, side);

    if (i->stride != pieces) {
        return lpu_fail(e->diag, LPU_ERR_FORMAT, "%s: found a cut into %u pieces, expected %u",
                        lpu_insn_name(i->op), i->stride, pieces);
    }
    return has_blocks ? check_blocks(e) : check_ktiles(e, elems);
}

/* ---- a product ---- */

typedef struct product {
    int32_t **y;     /* (m) rows of dst */
    int16_t *x;      /* (m, k) rows of a */
    int16_t *digits; /* one line, and room for the digits of its last byte */
} product;

/* Places the parts of a product in one piece of work. */
static lpu_status product_init(lpu_exec *e, product *p)
{
    const lpu_insn *i = e->insn;
    const uint32_t longer = e->config.rows > e->config.cols ? e->config.rows : e->config.cols;
    const size_t x_elems = (size_t)i->m * i->k, line_elems = (size_t)longer + 2 * LPU_EXEC_DIGITS;

    if (!i->k) return lpu_exec_refuse(e, "k", i->k, "at least 1");
    if (!i->planes || i->planes > LPU_TRITS_MAX) {
        return lpu_exec_refuse(e, "planes", i->planes, "1 to 5");
    }
    p->y = lpu_exec_work(e, i->m * sizeof(*p->y) + (x_elems + line_elems) * sizeof(int16_t));
    if (!p->y) return LPU_ERR_MEMORY;
    p->x = (int16_t *)(p->y + i->m);
    p->digits = p->x + x_elems;
    for (uint32_t r = 0; r < i->m; r++) {
        const uint64_t outer = r / i->m_inner, inner = r % i->m_inner;
        const int8_t *a =
            lpu_exec_elems(e, i->a, 1, i->a_off + outer * i->a_stride + inner * i->k, i->k);
        p->y[r] = lpu_exec_elems(e, i->dst, sizeof(int32_t),
                                 i->d_off + outer * i->d_stride + inner * i->n, i->n);
        if (!a || !p->y[r]) return LPU_ERR_FORMAT;
        for (uint32_t c = 0; c < i->k; c++) p->x[(size_t)r * i->k + c] = a[c];
    }
    return e->tally ? lpu_tally_inputs(e->tally, p->x, i->m, i->k, e->diag) : LPU_OK;
}

/* Horner's rule, before the sums of a further plane; planes of mode 1 are added as they are. */
static void begin_plane(const lpu_insn *i, const product *p, uint32_t plane, uint32_t first,
                        uint32_t count)
{
    if (plane && i->mode) return;
    for (uint32_t r = 0; r < i->m; r++) {
        int32_t *y = p->y[r] + first;
        for (uint32_t n = 0; n < count; n++) y[n] = plane ? (int32_t)(3 * (uint32_t)y[n]) : 0;
    }
}

/* Takes a line of the FIFO into digits, of which elems are of the matrix and the others fill it up.
 */
static lpu_status read_line(lpu_exec *e, const product *p, uint32_t bytes, uint32_t elems)
{
    const uint8_t *line = take(e, bytes);
    int16_t *to = p->digits;
    bool is_illegal = false;

    if (!line) return lpu_exec_refuse(e, "a FIFO that ends in a line of bytes:", bytes, "all");
    for (uint32_t b = 0; b < bytes; b++, to += e->per_byte) {
        memcpy(to, e->digits[line[b]], sizeof(e->digits[0]));
        is_illegal |= e->is_illegal[line[b]];
    }
    if (is_illegal) return lpu_exec_refuse(e, "illegal codes in a line of bytes:", bytes, "none");
    if (e->tally) lpu_tally_digits(e->tally, p->digits, elems);
    return LPU_OK;
}

/* The compiler's vectors carry the two inner loops: nine tenths of a session's time. */
#define FAST __attribute__((optimize("O3")))

FAST static int32_t dot(const int16_t *w, const int16_t *x, uint32_t n)
{
    int32_t sum = 0;
    for (uint32_t c = 0; c < n; c++) sum += w[c] * x[c];
    return sum;
}

FAST static void add_scaled(int32_t *y, const int16_t *w, int16_t x, uint32_t n)
{
    for (uint32_t r = 0; r < n; r++) y[r] = (int32_t)((uint32_t)y[r] + (uint32_t)(w[r] * x));
}

/* Lines are rows of the tile: each gives one sum per vector. */
static lpu_status row_tile(lpu_exec *e, const product *p, uint32_t tile, uint32_t first,
                           uint32_t count)
{
    const lpu_insn *i = e->insn;
    const lpu_format format = {1, e->per_byte, 1};
    const lpu_ktile t = lpu_ktile_at(&format, i->k, e->config.cols, tile);

    for (uint32_t n = first; n < first + count; n++) {
        const lpu_status status = read_line(e, p, t.line_bytes, t.elems);
        if (status) return status;
        for (uint32_t r = 0; r < i->m; r++) {
            const int32_t sum = dot(p->digits, p->x + (size_t)r * i->k + t.first, t.elems);
            p->y[r][n] = (int32_t)((uint32_t)p->y[r][n] + (uint32_t)sum);
        }
    }
    return LPU_OK;
}

/* Lines are columns of the tile: each adds one element of a vector to all sums. */
static lpu_status column_tile(lpu_exec *e, const product *p, uint32_t tile, uint32_t first,
                              uint32_t count)
{
    const lpu_insn *i = e->insn;
    const lpu_format format = {1, e->per_byte, 1};
    const uint32_t bytes = (uint32_t)lpu_format_bytes(&format, count), cols = e->config.cols;

    for (uint32_t k = tile * cols; k < i->k && k < (tile + 1) * cols; k++) {
        const lpu_status status = read_line(e, p, bytes, count);
        if (status) return status;
        for (uint32_t r = 0; r < i->m; r++) {
            add_scaled(p->y[r] + first, p->digits, p->x[(size_t)r * i->k + k], count);
        }
    }
    return LPU_OK;
}

lpu_status lpu_exec_matmul(lpu_exec *e)
{
    const lpu_insn *i = e->insn;
    const uint32_t rows = e->config.rows, tiles = lpu_ktile_count(i->k, e->config.cols);
    product p;
    lpu_status status = product_init(e, &p);

    for (uint32_t first = 0; first < i->n; first += rows) {
        const uint32_t count = i->n - first < rows ? i->n - first : rows;
        for (uint32_t plane = 0; plane < i->planes; plane++) {
            if (!status) begin_plane(i, &p, plane, first, count);
            for (uint32_t t = 0; t < tiles && !status; t++) {
                status = i->flags & LPU_FLAG_COLUMN ? column_tile(e, &p, t, first, count)
                                                    : row_tile(e, &p, t, first, count);
            }
        }
    }
    return status;
}
