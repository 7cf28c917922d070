/* rtl/verify/top_random.cc - the operations of random and directed programs: shapes, values,
 * operands. */
#include "rtl/verify/top_writer.hh"

#include <algorithm>

uint64_t top_dice::next()
{
    uint64_t z = state += 0x9e3779b97f4a7c15u; /* splitmix64, Steele et al. 2014 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

namespace
{

/* An operation: on m rows of n elements; k is of products, planes of those on digits; second: a
 * product of columns, a pack of values. */
struct shape {
    lpu_insn_op op;
    bool is_second;
    uint32_t m, n, k, planes;
};

enum { SCALE_BYTES = 4, INSN_STREAMS_MAX = 5 };

typedef top_bytes bytes;

/* ---- values ---- */

int32_t value32(top_dice *d, uint32_t bits)
{
    const uint32_t magnitude = (uint32_t)(d->next() & ((1ull << bits) - 1));
    return d->chance(128) ? (int32_t)magnitude : -(int32_t)magnitude;
}

void put32(bytes *to, uint32_t value)
{
    for (int i = 0; i < 4; i++) to->push_back((uint8_t)(value >> (8 * i)));
}

/* Rows of one magnitude each, some all zero, some with extremes. */
bytes rows32(top_dice *d, uint32_t m, uint32_t n)
{
    bytes out;

    for (uint32_t r = 0; r < m; r++) {
        const uint32_t bits = d->chance(20) ? 0 : d->between(1, 31);
        for (uint32_t i = 0; i < n; i++) {
            const uint32_t own = d->chance(8) ? 31 : d->chance(128) ? bits : d->below(bits + 1);
            put32(&out, (uint32_t)value32(d, own));
        }
    }
    return out;
}

lpu_scale scale(top_dice *d, int low, int high)
{
    if (d->chance(12)) return {0, 0};
    const int32_t e = low + (int32_t)d->below((uint32_t)(high - low + 1));
    return {(uint16_t)(0x8000 | (d->next() & 0x7fff)), (int16_t)e};
}

void put_scales(bytes *to, top_dice *d, uint32_t count, int low, int high)
{
    while (to->size() % SCALE_BYTES) to->push_back(0);
    for (uint32_t i = 0; i < count; i++) {
        const lpu_scale s = scale(d, low, high);
        put32(to, s.m | (uint32_t)(uint16_t)s.e << 16);
    }
}

/* count digits of one line, packed. */
void put_digits(top_writer *w, bytes *to, uint32_t count)
{
    int8_t digits[4096];
    uint8_t packed[4096];
    const uint32_t zeros = w->dice.chance(64) ? 200 : 85;

    for (uint32_t i = 0; i < count; i++)
        digits[i] = (int8_t)(w->dice.chance(zeros) ? 0 : w->dice.chance(128) ? 1 : -1);
    lpu_ternary_encode(w->design->code, packed, digits, count);
    to->insert(to->end(), packed, packed + lpu_ternary_bytes(w->design->code, count));
}

/* Rows of m = outer x m_inner. */
void shape_rows(top_writer *w, lpu_insn *i, uint32_t m)
{
    i->m = m;
    i->m_inner = w->dice.between(1, m);
    while (m % i->m_inner) i->m_inner--;
}

/* ---- operations ---- */

lpu_format format_of(const top_writer *w)
{
    return {1, (uint32_t)lpu_ternary_per_byte(w->design->code), 1};
}

void cut_keys(const top_writer *w, lpu_insn *i, uint32_t elems)
{
    const lpu_format f = format_of(w);
    const uint32_t tiles = lpu_ktile_count(elems, w->design->cols);
    const uint32_t units = (elems + f.unit_elems - 1) / f.unit_elems;
    i->seg_bytes = units / tiles;
    i->segs = units % tiles;
    i->stride = tiles;
}

void cut_blocks(const top_writer *w, lpu_insn *i, uint32_t elems, uint32_t stride)
{
    const lpu_format f = format_of(w);
    const uint32_t rows = w->design->rows, left = elems % rows;
    i->seg_bytes = (uint32_t)lpu_format_bytes(&f, rows);
    i->segs = (uint32_t)lpu_format_bytes(&f, left ? left : rows);
    i->stride = stride;
}

uint32_t end_of(uint32_t off, uint32_t stride, const lpu_insn *i)
{
    return off + (i->m / i->m_inner - 1) * stride + i->m_inner * i->n;
}

void add_product(top_writer *w, bool is_column, uint32_t m, uint32_t n, uint32_t k, uint32_t planes)
{
    const lpu_design *d = w->design;
    const lpu_format f = format_of(w);
    lpu_insn i = top_writer::make(LPU_INSN_matmul);
    bytes digits;

    shape_rows(w, &i, m);
    i.n = n;
    i.k = k;
    i.planes = (uint8_t)planes;
    i.mode = w->dice.chance(40);
    if (is_column) i.flags |= LPU_FLAG_COLUMN;
    const uint32_t tiles = lpu_ktile_count(k, d->cols);
    for (uint32_t first = 0; first < n; first += d->rows) {
        const uint32_t count = std::min(d->rows, n - first);
        for (uint32_t p = 0; p < planes; p++)
            if (is_column)
                for (uint32_t c = 0; c < k; c++) put_digits(w, &digits, count);
            else
                for (uint32_t t = 0; t < tiles; t++)
                    for (uint32_t r = 0; r < count; r++)
                        put_digits(w, &digits, lpu_ktile_at(&f, k, d->cols, t).elems);
    }
    if (is_column) cut_blocks(w, &i, n, tiles);
    else cut_keys(w, &i, k);
    const uint32_t outer = m / i.m_inner, gap = w->dice.below(9), slack = w->dice.below(5);
    i.a_off = w->dice.below(9);
    i.a_stride = i.m_inner * k + gap;
    i.d_off = slack;
    i.d_stride = i.m_inner * n + slack;
    i.a = w->load(top_random_bytes(&w->dice, i.a_off + (size_t)outer * i.a_stride));
    i.dst = w->result(4 * end_of(i.d_off, i.d_stride, &i));
    w->stream(digits, w->dice.between(1, std::min<uint32_t>(INSN_STREAMS_MAX, d->stream_queue)));
    w->work(i);
    w->store_rows(i);
}

/* Rows of values in a, any places of dst: what the plain operations of the vector unit share. */
void place_rows(top_writer *w, lpu_insn *i, uint32_t m, uint32_t n)
{
    shape_rows(w, i, m);
    i->n = n;
    i->a_off = w->dice.below(9);
    i->a_stride = i->m_inner * n + w->dice.below(9);
    i->d_off = w->dice.below(9);
    i->d_stride = i->m_inner * n + w->dice.below(9);
}

bytes values_of(top_writer *w, uint32_t elems, uint32_t row)
{
    bytes all = rows32(&w->dice, (elems + row - 1) / row, row);
    all.resize(4 * (size_t)elems);
    return all;
}

/* dst contiguous, with something of 4 bytes behind each row. */
void contiguous_dst(lpu_insn *i)
{
    i->d_off = 0;
    i->d_stride = i->m_inner * i->n;
}

void add_embed(top_writer *w, uint32_t m, uint32_t n, uint32_t planes)
{
    lpu_insn i = top_writer::make(LPU_INSN_embed);
    bytes a;

    place_rows(w, &i, m, n);
    i.a_off = i.a_stride = 0;
    i.planes = (uint8_t)planes;
    for (uint32_t r = 0; r < m * planes; r++) put_digits(w, &a, n);
    put_scales(&a, &w->dice, m, -45, 10);
    i.a = w->load(a);
    i.dst = w->result(4 * end_of(i.d_off, i.d_stride, &i));
    w->work(i);
    w->store_rows(i);
}

/* normq and quant: int8 rows, then their scales. */
void add_quantise(top_writer *w, lpu_insn_op op, uint32_t m, uint32_t n)
{
    lpu_insn i = top_writer::make(op);
    bytes a, gain;

    place_rows(w, &i, m, n);
    contiguous_dst(&i);
    if (op == LPU_INSN_normq && w->dice.chance(100)) {
        i.flags |= LPU_FLAG_EXPONENT;
        i.a_off = 0;
        i.a_stride = i.m_inner * n;
    }
    a = values_of(w, end_of(i.a_off, i.a_stride, &i), n);
    if (i.flags & LPU_FLAG_EXPONENT)
        for (uint32_t r = 0; r < m; r++) put32(&a, w->dice.between(0, 40) - 30);
    i.a = w->load(a);
    if (op == LPU_INSN_normq) {
        i.scale.e = (int16_t)(-(int)w->dice.between(8, 20));
        if (w->dice.chance(200)) i.b = w->load(top_random_bytes(&w->dice, 2 * (size_t)n));
    }
    i.dst = w->result((m * n + 3) / 4 * 4 + 4 * m);
    w->work(i);
    w->store(i.dst, 0, m * n);
    w->store(i.dst, (m * n + 3) / 4 * 4, 4 * m);
}

void add_dequant(top_writer *w, lpu_insn_op op, uint32_t m, uint32_t n)
{
    lpu_insn i = top_writer::make(op);

    place_rows(w, &i, m, n);
    i.k = w->dice.below(40);
    bytes scales = top_random_bytes(&w->dice, (size_t)m * i.k);
    put_scales(&scales, &w->dice, m, -40, 0);
    i.scale = scale(&w->dice, -30, 0);
    i.b = w->load(scales);
    if (op == LPU_INSN_dequant) i.mode = w->dice.chance(100);
    const bool is_in_place = op == LPU_INSN_dequant && w->dice.chance(90);
    i.a = w->load(values_of(w, end_of(i.a_off, i.a_stride, &i), n));
    if (is_in_place) {
        i.dst = i.a;
        i.d_off = i.a_off;
        i.d_stride = i.a_stride;
    } else if (op == LPU_INSN_residual) {
        i.dst = w->load(values_of(w, end_of(i.d_off, i.d_stride, &i), n));
    } else {
        i.dst = w->result(4 * end_of(i.d_off, i.d_stride, &i));
    }
    w->work(i);
    w->store_rows(i);
}

void add_rope(top_writer *w, uint32_t m, uint32_t n)
{
    lpu_insn i = top_writer::make(LPU_INSN_rope);
    bytes table;

    place_rows(w, &i, m, n + n % 2);
    i.k = w->dice.chance(128) ? 1 : m / i.m_inner;
    for (uint32_t e = 0; e < i.n * i.k; e++) {
        const int32_t c = (int32_t)w->dice.below(32769) - 16384;
        table.push_back((uint8_t)c);
        table.push_back((uint8_t)(c >> 8));
    }
    i.b = w->load(table);
    i.dst = i.a = w->load(values_of(w, end_of(i.a_off, i.a_stride, &i), i.n));
    i.d_off = i.a_off;
    i.d_stride = i.a_stride;
    w->work(i);
    w->store_rows(i);
}

void add_kvpack(top_writer *w, bool is_values, uint32_t m, uint32_t n, uint32_t planes)
{
    lpu_insn i = top_writer::make(LPU_INSN_kvpack);
    const lpu_format f = format_of(w);
    const uint32_t rows = w->design->rows, blocks = (n + rows - 1) / rows;

    place_rows(w, &i, m, n);
    i.d_off = i.d_stride = 0;
    i.planes = (uint8_t)planes;
    i.mode = is_values;
    uint32_t row_bytes = (uint32_t)lpu_format_bytes(&f, n);
    if (is_values) {
        cut_blocks(w, &i, n, blocks);
        row_bytes = (blocks - 1) * i.seg_bytes + i.segs;
    } else {
        cut_keys(w, &i, n);
    }
    i.a = w->load(values_of(w, end_of(i.a_off, i.a_stride, &i), n));
    i.dst = w->result((m * planes * row_bytes + 3) / 4 * 4 + 4 * m);
    w->work(i);
    w->store(i.dst, 0, m * planes * row_bytes);
    w->store(i.dst, (m * planes * row_bytes + 3) / 4 * 4, 4 * m);
}

void add_softmax(top_writer *w, uint32_t m, uint32_t n)
{
    lpu_insn i = top_writer::make(LPU_INSN_softmax);
    bytes query, cache;

    shape_rows(w, &i, m);
    const uint32_t outer = m / i.m_inner;
    i.n = std::max(n, outer);
    i.k = w->dice.chance(128) ? i.n - outer : w->dice.below(i.n - outer + 1);
    i.d_stride = w->dice.below(20);
    i.d_off = w->dice.below(20);
    i.a_off = w->dice.below(5);
    i.a_stride = i.m_inner + w->dice.below(5);
    query.resize(i.d_stride * i.d_off);
    put_scales(&query, &w->dice, i.a_off + (outer - 1) * i.a_stride + i.m_inner, -24, -16);
    put_scales(&cache, &w->dice, 2 * i.n, -24, -16);
    i.a = w->load(values_of(w, m * i.n, i.n));
    i.b = w->load(query);
    i.c = w->load(cache);
    i.dst = w->result((m * i.n + 3) / 4 * 4 + 4 * m);
    w->work(i);
    w->store(i.dst, 0, m * i.n);
    w->store(i.dst, (m * i.n + 3) / 4 * 4, 4 * m);
}

void add_gate(top_writer *w, uint32_t m, uint32_t n)
{
    lpu_insn i = top_writer::make(LPU_INSN_gate);

    place_rows(w, &i, m, n);
    contiguous_dst(&i);
    i.mode = (uint8_t)w->dice.below(3);
    const bool is_in_place = w->dice.chance(90);
    if (is_in_place) {
        i.a_off = 0;
        i.a_stride = i.d_stride;
    }
    i.a = w->load(values_of(w, end_of(i.a_off, i.a_stride, &i), n));
    if (w->dice.chance(180)) i.b = w->load(values_of(w, m * n, n));
    i.dst = is_in_place ? i.a : w->result(4 * (m * n + m));
    w->work(i);
    w->store(i.dst, 0, 4 * (m * n + m));
}

void add_argmax(top_writer *w, uint32_t m, uint32_t n)
{
    lpu_insn i = top_writer::make(LPU_INSN_argmax);
    bytes scales, rows;

    place_rows(w, &i, m, n);
    i.d_off = w->dice.below(100000);
    i.k = w->dice.below(40);
    if (w->dice.chance(128)) i.flags |= LPU_FLAG_FIRST;
    scales = top_random_bytes(&w->dice, (size_t)m * i.k);
    put_scales(&scales, &w->dice, m, -34, -10);
    put_scales(&rows, &w->dice, n, -34, -10);
    i.a = w->load(values_of(w, end_of(i.a_off, i.a_stride, &i), n));
    i.b = w->load(scales);
    i.c = w->load(rows);
    i.dst = w->load(rows32(&w->dice, m, 2));
    w->work(i);
    w->store(i.dst, 0, 8 * m);
}

/* One operation on m rows of n elements; k and what planes says are of those that have them. */
void add(top_writer *w, const shape &s)
{
    switch (s.op) {
    case LPU_INSN_matmul: return add_product(w, s.is_second, s.m, s.n, s.k, s.planes);
    case LPU_INSN_embed: return add_embed(w, s.m, s.n, s.planes);
    case LPU_INSN_quant:
    case LPU_INSN_normq: return add_quantise(w, s.op, s.m, s.n);
    case LPU_INSN_dequant:
    case LPU_INSN_residual: return add_dequant(w, s.op, s.m, s.n);
    case LPU_INSN_rope: return add_rope(w, s.m, s.n);
    case LPU_INSN_kvpack: return add_kvpack(w, s.is_second, s.m, s.n, s.planes);
    case LPU_INSN_softmax: return add_softmax(w, s.m, s.n);
    case LPU_INSN_gate: return add_gate(w, s.m, s.n);
    default: return add_argmax(w, s.m, s.n);
    }
}

/* Of 4 bytes, in a slot. */
uint32_t elems_of(const top_writer *w)
{
    return w->room_bytes() / 4 - 32;
}

/* ---- any operation ---- */

/* A size at or beside an edge, or anything, at most most. */
uint32_t size_of(top_dice *d, uint32_t most, uint32_t edge)
{
    if (!most) return 1;
    uint32_t n = d->chance(100) ? d->between(1, most)
                                : edge * d->between(1, std::max(1u, most / edge)) + d->below(3) - 1;
    return std::min(std::max(n, 1u), most);
}

shape any_shape(top_writer *w)
{
    static const lpu_insn_op ops[] = {
        LPU_INSN_embed,  LPU_INSN_quant,  LPU_INSN_normq,   LPU_INSN_dequant, LPU_INSN_residual,
        LPU_INSN_rope,   LPU_INSN_kvpack, LPU_INSN_softmax, LPU_INSN_gate,    LPU_INSN_argmax,
        LPU_INSN_matmul, LPU_INSN_matmul, LPU_INSN_matmul,  LPU_INSN_matmul,
    };
    const lpu_design *d = w->design;
    top_dice *dice = &w->dice;
    const uint32_t elems = elems_of(w);
    const uint32_t lanes = d->vector_lanes;
    shape s = {};

    s.op = ops[dice->below(sizeof(ops) / sizeof(ops[0]))];
    s.m = std::min(dice->chance(128) ? dice->between(1, 4) : dice->between(1, 12), elems / 4);
    s.planes = dice->between(1, 5);
    if (s.op == LPU_INSN_matmul) {
        s.is_second = dice->chance(100);
        s.m = std::min(s.m, d->passes_max);
        const uint32_t most = elems / s.m - 8;
        s.n = size_of(dice, std::min(most, 3 * d->rows), d->rows);
        s.k = size_of(dice, std::min(most, 3 * d->cols), d->cols);
        return s;
    }
    s.is_second = dice->chance(128);
    s.n = size_of(dice, std::min(elems / s.m - 8, 5 * lanes + 7), lanes);
    if (s.op == LPU_INSN_rope) s.n = std::max(1u, s.n - 1);
    if (s.op == LPU_INSN_kvpack || s.op == LPU_INSN_softmax) s.n = std::max(1u, s.n / 2);
    return s;
}

/* ---- every operation ---- */

enum edge { BELOW, WHOLE, ABOVE, EDGES };

/* Beside so many units of size unit, in steps. */
uint32_t beside(top_dice *d, int edge, uint32_t unit, uint32_t step)
{
    const uint32_t part = step * d->between(1, unit / step - 1), whole = unit * d->between(1, 3);
    return edge == BELOW ? part : edge == WHOLE ? whole : whole + part;
}

/* Products: both directions, every number of digits, all sides of a tile's edges. */
void deal_products(top_writer *w, std::vector<shape> *out)
{
    const lpu_design *d = w->design;

    for (int cell = 0; cell < 2 * 5 * EDGES * EDGES; cell++) {
        shape s = {LPU_INSN_matmul, cell % 2 != 0, 0, 0, 0, (uint32_t)(1 + cell / 2 % 5)};
        const uint32_t most_m = std::min(d->passes_max, 12u);
        s.m = w->dice.chance(128) ? most_m : w->dice.between(1, most_m);
        s.n = beside(&w->dice, cell / 10 % EDGES, d->rows, 1);
        s.k = beside(&w->dice, cell / 10 / EDGES, d->cols, 1);
        out->push_back(s);
    }
    /* One digit, few columns, many vectors: sums leave more slowly than the next are made. */
    for (int cell = 0; cell < 8; cell++) {
        const int n = cell / 2 % 2 ? ABOVE : WHOLE, k = cell / 4 ? WHOLE : BELOW;
        shape s = {LPU_INSN_matmul, cell % 2 != 0, 0, 0, 0, 1};
        s.n = 3 * d->rows - (n == ABOVE ? w->dice.between(1, d->rows - 1) : 0);
        s.k = k == WHOLE ? d->cols : w->dice.between(1, d->cols - 1);
        s.m = std::min(d->passes_max, elems_of(w) / (s.n + 8));
        out->push_back(s);
    }
}

/* Operations of the vector unit: all sides of the lanes' edge; a row, a block of four, more. */
void deal_vectors(top_writer *w, std::vector<shape> *out)
{
    top_dice *dice = &w->dice;

    for (uint8_t op = 0; op < LPU_INSN_OPS; op++) {
        const bool is_digits = op == LPU_INSN_embed || op == LPU_INSN_kvpack;
        const int turns = is_digits ? 5 : EDGES; /* every number of digits, or of rows */
        if (lpu_insn_unit(op) != LPU_UNIT_vector) continue;
        for (int cell = 0; cell < turns * EDGES * (op == LPU_INSN_kvpack ? 2 : 1); cell++) {
            const int edge = cell % EDGES, turn = cell / EDGES % turns;
            const int rows = is_digits ? (edge + turn) % EDGES : turn;
            shape s = {(lpu_insn_op)op, cell >= turns * EDGES, 0, 0, 0, (uint32_t)turn + 1};
            s.m = rows == 0 ? 1 : rows == 1 ? dice->between(2, 4) : dice->between(5, 7);
            s.n = beside(dice, edge, w->design->vector_lanes, op == LPU_INSN_rope ? 2 : 1);
            /* A row of scores has a key for each token. */
            if (op == LPU_INSN_softmax && edge == BELOW) s.n = w->design->vector_lanes - 1;
            out->push_back(s);
        }
    }
}

void shuffle(top_dice *d, std::vector<shape> *all)
{
    for (size_t i = all->size(); i-- > 1;) std::swap((*all)[i], (*all)[d->below((uint32_t)i + 1)]);
}

} // namespace

/* ---- programs ---- */

/* Registers of the machine. */
static void draw_constants(top_random *r, top_dice *dice)
{
    r->eps = scale(dice, -36, -28);
    r->score_scale = scale(dice, -18, -14);
}

void top_random_make(top_random *r, const lpu_layout *layout, uint64_t seed, uint32_t count)
{
    enum { SYNC_CHANCE = 20 };
    top_writer w(r, layout, seed);

    draw_constants(r, &w.dice);
    r->program.name = "random program " + std::to_string(seed);
    for (uint32_t i = 0; i < count; i++) {
        add(&w, any_shape(&w));
        w.finish();
        if (w.dice.chance(SYNC_CHANCE)) w.end_segment(LPU_INSN_sync);
    }
    w.close();
}

void top_random_every(top_random *r, const lpu_layout *layout, uint64_t seed, uint32_t part,
                      uint32_t parts)
{
    top_writer w(r, layout, seed);
    std::vector<shape> products, vectors, shapes;

    draw_constants(r, &w.dice);
    r->program.name = "every operation, part " + std::to_string(part + 1) + " of " +
                      std::to_string(parts) + ", seed " + std::to_string(seed);
    deal_products(&w, &products);
    deal_vectors(&w, &vectors);
    shuffle(&w.dice, &products);
    shuffle(&w.dice, &vectors);
    /* In turn, since array and vector unit work at once where they can. */
    for (size_t i = 0; i < std::max(products.size(), vectors.size()); i++) {
        if (i < vectors.size()) shapes.push_back(vectors[i]);
        if (i < products.size()) shapes.push_back(products[i]);
    }
    for (size_t i = shapes.size() * part / parts; i < shapes.size() * (part + 1) / parts; i++) {
        add(&w, shapes[i]);
        w.finish();
    }
    w.close();
}

void top_random_shape(top_random *r, const lpu_layout *layout, uint64_t seed, uint32_t m,
                      uint32_t n, uint32_t k, uint32_t planes)
{
    enum { COLUMN_CHANCE = 100 };
    top_writer w(r, layout, seed);

    draw_constants(r, &w.dice);
    r->program.name = "product of " + std::to_string(m) + " x " + std::to_string(k) + " and " +
                      std::to_string(n) + " x " + std::to_string(k) + ", " +
                      std::to_string(planes) + (planes > 1 ? " planes" : " plane");
    add_product(&w, w.dice.chance(COLUMN_CHANCE), m, n, k, planes);
    w.finish();
    w.close();
}
