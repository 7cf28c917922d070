/* sim/cost.c - closed forms of single instructions. */
#include "sim/cost.h"

#include <math.h>

enum { ACTIVATION_BITS = 8, PRODUCT_BITS_I8 = 16, PRODUCT_BITS_I4 = 12 };

typedef struct vector_cost {
    uint32_t beats, row_cycles, adds, read_bytes, write_bytes;
} vector_cost;

static const vector_cost vector_costs[LPU_INSN_OPS] = {
#define LPU_VECTOR(op, beats, row, adds, read, write)                                              \
    [LPU_INSN_##op] = {beats, row, adds, read, write},
#include "sim/vector.def"
#undef LPU_VECTOR
};

/* The share of zero digits where a matrix has several planes: all digits equally likely. */
static const double plane_zero_share = 1.0 / 3.0;

uint64_t lpu_cost_vector_cycles(const lpu_design *design, const lpu_insn *insn)
{
    enum {
        PIPELINE_CYCLES = 12, /* read, eight shift-adds, round, saturate, write */
        SCALAR_UNITS = 4      /* rows whose divisions and roots are under way at once */
    };
    const vector_cost *v = &vector_costs[insn->op];
    const uint64_t groups = (insn->n + design->vector_lanes - 1) / design->vector_lanes;
    const uint64_t beats = v->beats * groups;
    const uint64_t scalar = (v->row_cycles + SCALAR_UNITS - 1) / SCALAR_UNITS;

    return insn->m * (beats > scalar ? beats : scalar) + v->row_cycles + PIPELINE_CYCLES;
}

uint64_t lpu_cost_tree_bits(uint64_t terms, uint32_t bits)
{
    uint64_t sum = 0;
    for (; terms > 1; terms = (terms + 1) / 2) sum += terms / 2 * ++bits;
    return sum;
}

static void count_lanes(const lpu_layout *l, const lpu_insn *i, const lpu_op *op, uint64_t macs,
                        lpu_counters *c)
{
    const lpu_design *d = l->design;
    const bool is_column = i->flags & LPU_FLAG_COLUMN;
    const uint32_t tiles = lpu_ktile_count(i->k, d->cols);
    uint32_t bits = ACTIVATION_BITS;

    switch (d->lane) {
    case LPU_LANE_MAC_F16:
        c->mul_f16_ops += macs;
        c->add_f32_ops += macs;
        return;
    case LPU_LANE_MAC_I8:
        c->mul_i8_ops += macs;
        bits = PRODUCT_BITS_I8;
        break;
    case LPU_LANE_MAC_I4:
        if (op->operand == LPU_OPERAND_LINEAR) c->mul_i4_ops += macs;
        else c->mul_i8_ops += macs;
        bits = PRODUCT_BITS_I4;
        break;
    case LPU_LANE_ADD: {
        double zeros = op->operand == LPU_OPERAND_LINEAR ? op->zero_weight_share : plane_zero_share;
        if (d->code == LPU_CODE_B1) zeros = 0;
        const uint64_t skips = (uint64_t)llround((double)macs * zeros);
        c->lane_adds += macs - skips;
        c->lane_skips += skips;
        break;
    }
    }
    for (uint32_t t = 0; t < tiles; t++) {
        const uint32_t full = is_column ? d->cols : 0;
        const uint32_t elems = !is_column      ? lpu_ktile_at(&l->linear, i->k, d->cols, t).elems
                               : t + 1 < tiles ? full
                                               : i->k - t * d->cols;
        c->tree_add_bits += (uint64_t)i->m * i->n * i->planes * lpu_cost_tree_bits(elems, bits);
    }
}

static void count_matmul(const lpu_layout *l, const lpu_insn *i, const lpu_op *op, lpu_counters *c)
{
    const lpu_design *d = l->design;
    const uint64_t outputs = (uint64_t)i->m * i->n, sums = outputs * i->planes;
    const uint64_t tiles = lpu_ktile_count(i->k, d->cols);
    const uint64_t blocks = (i->n + d->rows - 1) / d->rows;
    const uint32_t digit_bits = d->lane == LPU_LANE_ADD ? 2 : lpu_design_weight_decibits(d) / 10;

    count_lanes(l, i, op, sums * i->k, c);
    c->accum_adds += sums * tiles;
    if (!i->mode) c->horner_adds += outputs * (i->planes - 1);
    c->tile_write_bits += (uint64_t)i->n * i->k * i->planes * digit_bits;
    c->act_read_bytes += (uint64_t)i->m * i->k * l->act_bytes * i->planes * blocks;
    c->accum_write_bytes += 4 * sums * tiles;
    c->accum_read_bytes += 4 * (sums * tiles - outputs) + 4 * outputs; /* not when cleared; drain */
    c->vector_write_bytes += 4 * outputs;
    c->lane_clock_cycles += (uint64_t)d->rows * d->cols * i->m * i->planes * tiles * blocks;
    c->wire_bit_mm += 8 *
                      (4 * outputs + (uint64_t)i->m * i->k * l->act_bytes * i->planes * blocks) *
                      d->wire_um / 1000;
}

static void count_stream(const lpu_layout *l, const lpu_insn *i, lpu_counters *c)
{
    const uint64_t bytes = (uint64_t)i->segs * i->seg_bytes;

    if (i->flags & LPU_FLAG_ON_CHIP) c->weight_sram_bytes += bytes;
    c->wire_bit_mm += 8 * bytes * l->design->wire_um / 1000;
    if (i->op == LPU_INSN_load) {
        c->vector_write_bytes += bytes;
    } else if (i->op == LPU_INSN_store) {
        c->vector_read_bytes += bytes;
    } else {
        c->fifo_write_bytes += bytes;
        c->fifo_read_bytes += bytes;
        if (l->design->lane == LPU_LANE_ADD) c->decode_bytes += bytes;
    }
}

void lpu_cost_count(const lpu_layout *l, const lpu_insn *i, const lpu_op *op, lpu_counters *c)
{
    c->instructions++;
    switch (lpu_insn_unit(i->op)) {
    case LPU_UNIT_array: count_matmul(l, i, op, c); break;
    case LPU_UNIT_stream:
    case LPU_UNIT_store: count_stream(l, i, c); break;
    case LPU_UNIT_vector: {
        const vector_cost *v = &vector_costs[i->op];
        const uint64_t elems = (uint64_t)i->m * i->n;
        c->vector_adds += elems * v->adds;
        c->vector_read_bytes += elems * v->read_bytes;
        c->vector_write_bytes += elems * v->write_bytes;
        break;
    }
    default: break;
    }
}
