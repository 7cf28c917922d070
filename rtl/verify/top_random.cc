/* rtl/verify/top_random.cc - writes random programs, one operation after another.
 *
 * The scratchpad is cut into slots, one buffer each. An operation takes slots for its operands from
 * one half of them, its successor from the other half, so that the loads of one may be written
 * before the work of the other.
 *
 *     setbuf, loads, streams | operation, stores
 */
#include "rtl/verify/top_random.hh"

#include <algorithm>
#include <cstring>

uint64_t top_dice::next()
{
    uint64_t z = state += 0x9e3779b97f4a7c15u; /* splitmix64, Steele et al. 2014 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

namespace
{

enum { SLOTS = 16, HALF = SLOTS / 2, SCALE_BYTES = 4 };
enum { INSN_STREAMS_MAX = 5 };

struct writer {
    top_random *out;
    const lpu_layout *layout;
    const lpu_design *design;
    top_dice dice;
    uint32_t slot_bytes, used; /* used: slots of this operation */
    int half;
    uint64_t slot_at[SLOTS];
    bool is_placed[SLOTS];
    std::vector<lpu_insn> before, after; /* of this operation */
    std::vector<lpu_insn> held;          /* after, of the one before, not yet written */
    size_t held_streams;
    uint32_t guarded_slot, guarded_bytes; /* of a result that has a guard behind it; 0: none */
    size_t op_of[LPU_INSN_OPS];
};

typedef std::vector<uint8_t> bytes;

/* ---- memory ---- */

/* Puts data somewhere new, with any alignment. */
uint64_t place(writer *w, const bytes &data)
{
    bytes &image = w->out->image;
    const uint32_t burst = w->design->dram.burst_bytes;

    image.resize(image.size() + w->dice.below(2 * burst));
    const uint64_t at = image.size();
    image.insert(image.end(), data.begin(), data.end());
    return at;
}

lpu_insn make(lpu_insn_op op)
{
    lpu_insn i = {};
    i.op = (uint8_t)op;
    i.dst = i.a = i.b = i.c = LPU_BUFFER_NONE;
    i.m_inner = 1;
    return i;
}

/* Cuts a piece of data into segments of equal size, a stride apart; data grows to a whole number.
 */
lpu_insn scatter(writer *w, lpu_insn_op op, const uint8_t *data, size_t count)
{
    lpu_insn i = make(op);
    uint32_t segs = w->dice.chance(128) ? 1 : w->dice.between(1, 6);
    while (count % segs) segs--;
    const uint32_t each = (uint32_t)(count / segs);
    const uint32_t gap = w->dice.chance(128) ? 0 : w->dice.below(80);
    bytes spread;

    for (uint32_t s = 0; s < segs; s++) {
        spread.insert(spread.end(), data + s * each, data + (s + 1) * each);
        spread.resize(spread.size() + gap, 0xa5);
    }
    i.segs = segs;
    i.seg_bytes = each;
    i.stride = each + gap;
    i.addr = place(w, spread);
    return i;
}

/* ---- slots ---- */

uint32_t slot_of(writer *w)
{
    const uint32_t slot = (uint32_t)w->half * HALF + w->used++;

    if (!w->is_placed[slot] || w->dice.chance(24)) {
        lpu_insn i = make(LPU_INSN_setbuf);
        const uint32_t slack = w->slot_bytes / 16 / 8 * 8;
        w->is_placed[slot] = true;
        i.dst = (uint8_t)slot;
        i.addr = slot * w->slot_bytes + 8 * w->dice.below(slack / 8 + 1);
        i.n = w->slot_bytes - slack;
        w->before.push_back(i);
    }
    return slot;
}

uint32_t room_of(const writer *w)
{
    return w->slot_bytes - w->slot_bytes / 16 / 8 * 8;
}

/* Loads data into a new slot, in one or more pieces. */
uint8_t load(writer *w, const bytes &data, uint32_t slot)
{
    size_t at = 0;

    while (at < data.size()) {
        const size_t left = data.size() - at;
        const size_t part = w->dice.chance(160) ? left : w->dice.between(1, (uint32_t)left);
        lpu_insn i = scatter(w, LPU_INSN_load, data.data() + at, part);
        i.dst = (uint8_t)slot;
        i.d_off = (uint32_t)at;
        if (w->dice.chance(16)) i.flags |= LPU_FLAG_FENCE;
        w->before.push_back(i);
        at += part;
    }
    return (uint8_t)slot;
}

uint8_t load_new(writer *w, const bytes &data)
{
    return load(w, data, slot_of(w));
}

bytes random_bytes(top_dice *d, size_t count)
{
    bytes out(count);
    for (uint8_t &b : out) b = (uint8_t)d->next();
    return out;
}

/* A slot for a result that ends at byte end. Now and then everything in it is known before, and a
 * guard behind it: what the operation leaves alone must stay. */
uint8_t result_slot(writer *w, uint32_t end)
{
    enum { GUARD_BYTES = 16 };
    const uint32_t slot = slot_of(w);

    if (end + GUARD_BYTES > room_of(w) || !w->dice.chance(110)) return (uint8_t)slot;
    w->guarded_slot = slot;
    w->guarded_bytes = end + GUARD_BYTES;
    return load(w, random_bytes(&w->dice, w->guarded_bytes), slot);
}

/* Stores bytes of a buffer to a new place. */
void store(writer *w, uint32_t slot, uint32_t from, uint32_t count)
{
    uint32_t segs = w->dice.chance(128) ? 1 : w->dice.between(1, 5);
    while (count % segs) segs--;
    const uint32_t gap = w->dice.chance(128) ? 0 : w->dice.below(70);
    lpu_insn i = make(LPU_INSN_store);

    i.a = (uint8_t)slot;
    i.a_off = from;
    i.segs = segs;
    i.seg_bytes = count / segs;
    i.stride = i.seg_bytes + gap;
    i.addr = place(w, bytes((size_t)segs * i.stride, 0x5a));
    w->after.push_back(i);
}

/* Every row of dst, and nothing that lies between: there the scratchpad may hold anything. */
void store_rows(writer *w, const lpu_insn *i)
{
    enum { ELEM_BYTES = 4 };
    for (uint32_t outer = 0; outer < i->m / i->m_inner; outer++)
        store(w, i->dst, ELEM_BYTES * (i->d_off + outer * i->d_stride),
              ELEM_BYTES * i->m_inner * i->n);
}

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
void put_digits(writer *w, bytes *to, uint32_t count)
{
    int8_t digits[4096];
    uint8_t packed[4096];
    const uint32_t zeros = w->dice.chance(64) ? 200 : 85;

    for (uint32_t i = 0; i < count; i++)
        digits[i] = (int8_t)(w->dice.chance(zeros) ? 0 : w->dice.chance(128) ? 1 : -1);
    lpu_ternary_encode(w->design->code, packed, digits, count);
    to->insert(to->end(), packed, packed + lpu_ternary_bytes(w->design->code, count));
}

/* A size at or beside an edge, or anything, at most most. */
uint32_t size_of(top_dice *d, uint32_t most, uint32_t edge)
{
    if (!most) return 1;
    uint32_t n = d->chance(100) ? d->between(1, most)
                                : edge * d->between(1, std::max(1u, most / edge)) + d->below(3) - 1;
    return std::min(std::max(n, 1u), most);
}

/* Rows of m = outer x m_inner. */
void shape_rows(writer *w, lpu_insn *i, uint32_t m)
{
    i->m = m;
    i->m_inner = w->dice.between(1, m);
    while (m % i->m_inner) i->m_inner--;
}

/* ---- operations ---- */

lpu_format format_of(const writer *w)
{
    return {1, (uint32_t)lpu_ternary_per_byte(w->design->code), 1};
}

void cut_keys(const writer *w, lpu_insn *i, uint32_t elems)
{
    const lpu_format f = format_of(w);
    const uint32_t tiles = lpu_ktile_count(elems, w->design->cols);
    const uint32_t units = (elems + f.unit_elems - 1) / f.unit_elems;
    i->seg_bytes = units / tiles;
    i->segs = units % tiles;
    i->stride = tiles;
}

void cut_blocks(const writer *w, lpu_insn *i, uint32_t elems, uint32_t stride)
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

void add_product(writer *w, uint32_t m, uint32_t n, uint32_t k, uint32_t planes)
{
    const lpu_design *d = w->design;
    const lpu_format f = format_of(w);
    lpu_insn i = make(LPU_INSN_matmul);
    bytes digits;
    size_t at = 0;

    shape_rows(w, &i, m);
    i.n = n;
    i.k = k;
    i.planes = (uint8_t)planes;
    i.mode = w->dice.chance(40);
    if (w->dice.chance(100)) i.flags |= LPU_FLAG_COLUMN;
    const uint32_t tiles = lpu_ktile_count(k, d->cols);
    for (uint32_t first = 0; first < n; first += d->rows) {
        const uint32_t count = std::min(d->rows, n - first);
        for (uint32_t p = 0; p < planes; p++)
            if (i.flags & LPU_FLAG_COLUMN)
                for (uint32_t c = 0; c < k; c++) put_digits(w, &digits, count);
            else
                for (uint32_t t = 0; t < tiles; t++)
                    for (uint32_t r = 0; r < count; r++)
                        put_digits(w, &digits, lpu_ktile_at(&f, k, d->cols, t).elems);
    }
    if (i.flags & LPU_FLAG_COLUMN) cut_blocks(w, &i, n, tiles);
    else cut_keys(w, &i, k);
    const uint32_t outer = m / i.m_inner, gap = w->dice.below(9), slack = w->dice.below(5);
    i.a_off = w->dice.below(9);
    i.a_stride = i.m_inner * k + gap;
    i.d_off = slack;
    i.d_stride = i.m_inner * n + slack;
    i.a = load_new(w, random_bytes(&w->dice, i.a_off + (size_t)outer * i.a_stride));
    i.dst = result_slot(w, 4 * end_of(i.d_off, i.d_stride, &i));
    const uint32_t pieces =
        w->dice.between(1, std::min<uint32_t>(INSN_STREAMS_MAX, d->stream_queue));
    for (uint32_t p = 0; p < pieces && at < digits.size(); p++) {
        const size_t left = digits.size() - at;
        const size_t part = p + 1 == pieces ? left : w->dice.between(1, (uint32_t)left);
        lpu_insn s = scatter(w, LPU_INSN_stream, digits.data() + at, part);
        if (w->dice.chance(32)) s.flags |= LPU_FLAG_FENCE;
        w->before.push_back(s);
        at += part;
    }
    w->after.push_back(i);
    store_rows(w, &i);
}

/* Rows of values in a, any places of dst: what the plain operations of the vector unit share. */
void place_rows(writer *w, lpu_insn *i, uint32_t m, uint32_t n)
{
    shape_rows(w, i, m);
    i->n = n;
    i->a_off = w->dice.below(9);
    i->a_stride = i->m_inner * n + w->dice.below(9);
    i->d_off = w->dice.below(9);
    i->d_stride = i->m_inner * n + w->dice.below(9);
}

bytes values_of(writer *w, uint32_t elems, uint32_t row)
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

void add_embed(writer *w, uint32_t m, uint32_t n, uint32_t planes)
{
    lpu_insn i = make(LPU_INSN_embed);
    bytes a;

    place_rows(w, &i, m, n);
    i.a_off = i.a_stride = 0;
    i.planes = (uint8_t)planes;
    for (uint32_t r = 0; r < m * planes; r++) put_digits(w, &a, n);
    put_scales(&a, &w->dice, m, -45, 10);
    i.a = load_new(w, a);
    i.dst = result_slot(w, 4 * end_of(i.d_off, i.d_stride, &i));
    w->after.push_back(i);
    store_rows(w, &i);
}

/* normq and quant: int8 rows, then their scales. */
void add_quantise(writer *w, lpu_insn_op op, uint32_t m, uint32_t n)
{
    lpu_insn i = make(op);
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
    i.a = load_new(w, a);
    if (op == LPU_INSN_normq) {
        i.scale.e = (int16_t)(-(int)w->dice.between(8, 20));
        if (w->dice.chance(200)) i.b = load_new(w, random_bytes(&w->dice, 2 * (size_t)n));
    }
    i.dst = result_slot(w, (m * n + 3) / 4 * 4 + 4 * m);
    w->after.push_back(i);
    store(w, i.dst, 0, m * n);
    store(w, i.dst, (m * n + 3) / 4 * 4, 4 * m);
}

void add_dequant(writer *w, lpu_insn_op op, uint32_t m, uint32_t n)
{
    lpu_insn i = make(op);

    place_rows(w, &i, m, n);
    i.k = w->dice.below(40);
    bytes scales = random_bytes(&w->dice, (size_t)m * i.k);
    put_scales(&scales, &w->dice, m, -40, 0);
    i.scale = scale(&w->dice, -30, 0);
    i.b = load_new(w, scales);
    if (op == LPU_INSN_dequant) i.mode = w->dice.chance(100);
    const bool is_in_place = op == LPU_INSN_dequant && w->dice.chance(90);
    i.a = load_new(w, values_of(w, end_of(i.a_off, i.a_stride, &i), n));
    if (is_in_place) {
        i.dst = i.a;
        i.d_off = i.a_off;
        i.d_stride = i.a_stride;
    } else if (op == LPU_INSN_residual) {
        i.dst = load_new(w, values_of(w, end_of(i.d_off, i.d_stride, &i), n));
    } else {
        i.dst = result_slot(w, 4 * end_of(i.d_off, i.d_stride, &i));
    }
    w->after.push_back(i);
    store_rows(w, &i);
}

void add_rope(writer *w, uint32_t m, uint32_t n)
{
    lpu_insn i = make(LPU_INSN_rope);
    bytes table;

    place_rows(w, &i, m, n + n % 2);
    i.k = w->dice.chance(128) ? 1 : m / i.m_inner;
    for (uint32_t e = 0; e < i.n * i.k; e++) {
        const int32_t c = (int32_t)w->dice.below(32769) - 16384;
        table.push_back((uint8_t)c);
        table.push_back((uint8_t)(c >> 8));
    }
    i.b = load_new(w, table);
    i.dst = i.a = load_new(w, values_of(w, end_of(i.a_off, i.a_stride, &i), i.n));
    i.d_off = i.a_off;
    i.d_stride = i.a_stride;
    w->after.push_back(i);
    store_rows(w, &i);
}

void add_kvpack(writer *w, uint32_t m, uint32_t n, uint32_t planes)
{
    lpu_insn i = make(LPU_INSN_kvpack);
    const lpu_format f = format_of(w);
    const uint32_t rows = w->design->rows, blocks = (n + rows - 1) / rows;

    place_rows(w, &i, m, n);
    i.d_off = i.d_stride = 0;
    i.planes = (uint8_t)planes;
    i.mode = w->dice.chance(128);
    uint32_t row_bytes = (uint32_t)lpu_format_bytes(&f, n);
    if (i.mode) {
        cut_blocks(w, &i, n, blocks);
        row_bytes = (blocks - 1) * i.seg_bytes + i.segs;
    } else {
        cut_keys(w, &i, n);
    }
    i.a = load_new(w, values_of(w, end_of(i.a_off, i.a_stride, &i), n));
    i.dst = result_slot(w, (m * planes * row_bytes + 3) / 4 * 4 + 4 * m);
    w->after.push_back(i);
    store(w, i.dst, 0, m * planes * row_bytes);
    store(w, i.dst, (m * planes * row_bytes + 3) / 4 * 4, 4 * m);
}

void add_softmax(writer *w, uint32_t m, uint32_t n)
{
    lpu_insn i = make(LPU_INSN_softmax);
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
    i.a = load_new(w, values_of(w, m * i.n, i.n));
    i.b = load_new(w, query);
    i.c = load_new(w, cache);
    i.dst = result_slot(w, (m * i.n + 3) / 4 * 4 + 4 * m);
    w->after.push_back(i);
    store(w, i.dst, 0, m * i.n);
    store(w, i.dst, (m * i.n + 3) / 4 * 4, 4 * m);
}

void add_gate(writer *w, uint32_t m, uint32_t n)
{
    lpu_insn i = make(LPU_INSN_gate);

    place_rows(w, &i, m, n);
    contiguous_dst(&i);
    i.mode = (uint8_t)w->dice.below(3);
    const bool is_in_place = w->dice.chance(90);
    if (is_in_place) {
        i.a_off = 0;
        i.a_stride = i.d_stride;
    }
    i.a = load_new(w, values_of(w, end_of(i.a_off, i.a_stride, &i), n));
    if (w->dice.chance(180)) i.b = load_new(w, values_of(w, m * n, n));
    i.dst = is_in_place ? i.a : result_slot(w, 4 * (m * n + m));
    w->after.push_back(i);
    store(w, i.dst, 0, 4 * (m * n + m));
}

void add_argmax(writer *w, uint32_t m, uint32_t n)
{
    lpu_insn i = make(LPU_INSN_argmax);
    bytes scales, rows;

    place_rows(w, &i, m, n);
    i.d_off = w->dice.below(100000);
    i.k = w->dice.below(40);
    if (w->dice.chance(128)) i.flags |= LPU_FLAG_FIRST;
    scales = random_bytes(&w->dice, (size_t)m * i.k);
    put_scales(&scales, &w->dice, m, -34, -10);
    put_scales(&rows, &w->dice, n, -34, -10);
    i.a = load_new(w, values_of(w, end_of(i.a_off, i.a_stride, &i), n));
    i.b = load_new(w, scales);
    i.c = load_new(w, rows);
    i.dst = load_new(w, rows32(&w->dice, m, 2));
    w->after.push_back(i);
    store(w, i.dst, 0, 8 * m);
}

/* ---- the program ---- */

void emit(writer *w, const lpu_insn &i)
{
    lpu_program *p = &w->out->program.code;
    const lpu_insn_note note = {(uint32_t)w->op_of[i.op], UINT32_MAX};
    if (lpu_program_append(p, &i, &note)) throw std::bad_alloc();
}

void flush(writer *w)
{
    for (const lpu_insn &i : w->held) emit(w, i);
    w->held.clear();
    w->held_streams = 0;
}

void end_segment(writer *w, lpu_insn_op op)
{
    flush(w);
    emit(w, make(op));
    if (lpu_program_end_segment(&w->out->program.code)) throw std::bad_alloc();
}

/* Writes the operation's loads and streams, before or after the work of the one before it. */
void finish(writer *w)
{
    size_t entries = 0, streams = 0;

    if (w->guarded_bytes) store(w, w->guarded_slot, 0, w->guarded_bytes);
    w->guarded_bytes = 0;
    for (const lpu_insn &i : w->before) {
        if (lpu_insn_unit(i.op) == LPU_UNIT_stream) entries++;
        if (i.op == LPU_INSN_stream) streams++;
    }
    /* Streams wait in their queue until their product is issued: all of them must have room. */
    if (w->held_streams + entries > w->design->stream_queue || w->dice.chance(64)) flush(w);
    for (const lpu_insn &i : w->before) emit(w, i);
    flush(w);
    w->held = w->after;
    w->held_streams = streams;
    if (w->dice.chance(64)) flush(w);
    w->before.clear();
    w->after.clear();
    w->used = 0;
    w->half = !w->half;
}

void add_any(writer *w)
{
    const lpu_design *d = w->design;
    top_dice *dice = &w->dice;
    const uint32_t elems = room_of(w) / 4 - 32; /* of 4 bytes in a slot */
    const uint32_t lanes = d->vector_lanes;
    uint32_t m = dice->chance(128) ? dice->between(1, 4) : dice->between(1, 12);
    m = std::min(m, elems / 4);
    const uint32_t n = size_of(dice, std::min(elems / m - 8, 5 * lanes + 7), lanes);
    const uint32_t planes = dice->between(1, 5);

    switch (dice->below(14)) {
    case 0: return add_embed(w, m, n, planes);
    case 1: return add_quantise(w, LPU_INSN_quant, m, n);
    case 2: return add_quantise(w, LPU_INSN_normq, m, n);
    case 3: return add_dequant(w, LPU_INSN_dequant, m, n);
    case 4: return add_dequant(w, LPU_INSN_residual, m, n);
    case 5: return add_rope(w, m, std::max(1u, n - 1));
    case 6: return add_kvpack(w, m, std::max(1u, n / 2), planes);
    case 7: return add_softmax(w, m, std::max(1u, n / 2));
    case 8: return add_gate(w, m, n);
    case 9: return add_argmax(w, m, n);
    default: break;
    }
    m = std::min(m, d->passes_max);
    const uint32_t most = elems / m - 8;
    add_product(w, m, size_of(dice, std::min(most, 3 * d->rows), d->rows),
                size_of(dice, std::min(most, 3 * d->cols), d->cols), planes);
}

/* Where an instruction's counts go: any operation of its name. */
void find_ops(writer *w)
{
    static const struct {
        lpu_insn_op insn;
        lpu_op_kind op;
    } rows[] = {
        {LPU_INSN_embed, LPU_OP_embed},
        {LPU_INSN_normq, LPU_OP_attn_norm},
        {LPU_INSN_residual, LPU_OP_attn_residual},
        {LPU_INSN_rope, LPU_OP_rope},
        {LPU_INSN_quant, LPU_OP_rope},
        {LPU_INSN_kvpack, LPU_OP_kv_write},
        {LPU_INSN_store, LPU_OP_kv_write},
        {LPU_INSN_softmax, LPU_OP_softmax},
        {LPU_INSN_gate, LPU_OP_gate_act},
        {LPU_INSN_argmax, LPU_OP_argmax},
        {LPU_INSN_matmul, LPU_OP_q_proj},
        {LPU_INSN_stream, LPU_OP_q_proj},
        {LPU_INSN_dequant, LPU_OP_q_proj},
        {LPU_INSN_load, LPU_OP_attn_norm},
    };
    const lpu_trace *t = w->out->program.trace;

    memset(w->op_of, 0, sizeof(w->op_of));
    for (const auto &row : rows)
        for (size_t i = t->count; i-- > 0;)
            if (t->ops[i].kind == row.op) w->op_of[row.insn] = i;
}

void open(writer *w, top_random *out, const lpu_layout *layout, uint64_t seed)
{
    lpu_diag diag = {""};

    *w = writer();
    w->out = out;
    w->layout = layout;
    w->design = layout->design;
    w->dice.state = seed;
    w->slot_bytes = w->design->scratch_kib * 1024 / SLOTS / 8 * 8;
    out->image.assign(64, 0);
    out->eps = scale(&w->dice, -36, -28);
    out->score_scale = scale(&w->dice, -18, -14);
    if (lpu_trace_open(&out->program.trace, layout->model, LPU_PHASE_PREFILL, 1, 0, 1, &diag))
        top_throw(&diag);
    find_ops(w);
}

void close(writer *w)
{
    const size_t burst = lpu_port_burst_bytes(&w->design->dram, w->design->bus_bytes_per_cycle);
    bytes &image = w->out->image;

    end_segment(w, LPU_INSN_halt);
    image.resize((image.size() + 2 * burst) / burst * burst);
}

} // namespace

void top_random_make(top_random *r, const lpu_layout *layout, uint64_t seed, uint32_t count)
{
    writer w;

    open(&w, r, layout, seed);
    r->program.name = "random program " + std::to_string(seed);
    for (uint32_t i = 0; i < count; i++) {
        add_any(&w);
        finish(&w);
        if (w.dice.chance(20)) end_segment(&w, LPU_INSN_sync);
    }
    close(&w);
}

void top_random_shape(top_random *r, const lpu_layout *layout, uint64_t seed, uint32_t m,
                      uint32_t n, uint32_t k, uint32_t planes)
{
    writer w;

    open(&w, r, layout, seed);
    r->program.name = "product of " + std::to_string(m) + " x " + std::to_string(k) + " and " +
                      std::to_string(n) + " x " + std::to_string(k) + ", " +
                      std::to_string(planes) + (planes > 1 ? " planes" : " plane");
    add_product(&w, m, n, k, planes);
    finish(&w);
    close(&w);
}
