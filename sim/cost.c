/* sim/cost.c - closed forms of single instructions. */
#include "sim/cost.h"
#include "workloads/ternary.h"

#include <math.h>

enum { ACTIVATION_BITS = 8, PRODUCT_BITS_I8 = 16, PRODUCT_BITS_I4 = 12 };

/* ---- the vector unit: sim/vector.def ---- */

enum {
#define LPU_VECTOR_CYCLES(name, cycles) CYCLES_##name = cycles,
#define LPU_VECTOR_JOB(name, cycles)    JOB_##name = cycles,
#include "sim/vector.def"
#undef LPU_VECTOR_CYCLES
#undef LPU_VECTOR_JOB
    ROWS_OF_A_BLOCK = 4
};

typedef enum vector_recipe {
#define LPU_VECTOR_RECIPE(name, steps) RECIPE_##name,
#include "sim/vector.def"
#undef LPU_VECTOR_RECIPE
    RECIPES
} vector_recipe;

static const uint32_t recipe_steps[RECIPES] = {
#define LPU_VECTOR_RECIPE(name, steps) [RECIPE_##name] = steps,
#include "sim/vector.def"
#undef LPU_VECTOR_RECIPE
};

typedef enum vector_groups {
    GROUPS_row,
    GROUPS_halves,
    GROUPS_digits,
    GROUPS_lines,
    GROUPS_one
} vector_groups;

enum { PATH_plain = 0, PATH_power = CYCLES_power };

typedef struct vector_pass {
    vector_recipe recipe;
    vector_groups groups;
    uint32_t path_cycles, until_cycles, job_cycles;
    uint32_t adds, read_bytes, write_bytes;
} vector_pass;

static const vector_pass passes[] = {
#define LPU_VECTOR_PASS(recipe, groups, path, until, job, adds, read, write)                       \
    {RECIPE_##recipe, GROUPS_##groups, PATH_##path, CYCLES_##until, JOB_##job, adds, read, write},
#include "sim/vector.def"
#undef LPU_VECTOR_PASS
};

enum { PASSES = sizeof(passes) / sizeof(passes[0]) };

static vector_recipe recipe_of(const lpu_insn *i)
{
    const bool has_b = i->b != LPU_BUFFER_NONE;

    switch ((lpu_insn_op)i->op) {
    case LPU_INSN_embed: return RECIPE_embed;
    case LPU_INSN_normq: return has_b ? RECIPE_normq : RECIPE_quant;
    case LPU_INSN_kvpack: return RECIPE_kvpack;
    case LPU_INSN_dequant: return RECIPE_dequant;
    case LPU_INSN_residual: return RECIPE_residual;
    case LPU_INSN_rope: return RECIPE_rope;
    case LPU_INSN_softmax: return RECIPE_softmax;
    case LPU_INSN_gate:
        if (i->mode == LPU_ACT_RELU2) return has_b ? RECIPE_relu2 : RECIPE_relu2_one;
        return has_b ? RECIPE_silu : RECIPE_silu_one;
    case LPU_INSN_argmax: return RECIPE_argmax;
    default: return RECIPE_quant;
    }
}

/* The recipe's first pass; *count of them. */
static const vector_pass *passes_of(vector_recipe recipe, size_t *count)
{
    size_t first = 0;

    while (passes[first].recipe != recipe) first++;
    *count = 1;
    while (first + *count < PASSES && passes[first + *count].recipe == recipe) ++*count;
    return &passes[first];
}

static uint64_t up(uint64_t a, uint64_t b)
{
    return (a + b - 1) / b;
}

/* Bytes that the pieces of a kvpack's row take, of one plane; and beats, at each bytes a beat. */
static uint64_t packed_bytes(const lpu_insn *i)
{
    return (uint64_t)(i->stride - (i->mode ? 1 : 0)) * i->seg_bytes + i->segs;
}

static uint64_t packed_beats(const lpu_insn *i, uint64_t each)
{
    const uint64_t other = i->mode ? i->segs : i->seg_bytes + 1, others = i->mode ? 1 : i->segs;
    return (i->stride - others) * up(i->seg_bytes, each) + others * up(other, each);
}

static uint64_t row_beats(const lpu_design *d, const lpu_insn *i, vector_groups groups)
{
    const uint64_t lanes = d->vector_lanes, per_byte = lpu_ternary_per_byte(d->code);
    const uint64_t bytes = lanes < per_byte ? 1 : lanes / per_byte; /* of digits, in a beat */
    const bool is_digits = d->lane == LPU_LANE_ADD;

    switch (groups) {
    case GROUPS_row: break;
    case GROUPS_halves: return 2 * (i->n > 1 ? up(i->n / 2, lanes) : 1);
    case GROUPS_digits: return i->planes * up(i->n, is_digits ? bytes * per_byte : lanes);
    case GROUPS_lines: return i->planes * (is_digits ? packed_beats(i, bytes) : up(i->n, lanes));
    case GROUPS_one: return 1;
    }
    return up(i->n, lanes);
}

/* From the first beat of a block of rows to the last, with both. */
static uint64_t block_cycles(const lpu_design *d, const lpu_insn *insn, uint64_t rows)
{
    uint64_t now = 0, held = 0, ready[ROWS_OF_A_BLOCK] = {0};
    size_t count;
    const vector_pass *pass = passes_of(recipe_of(insn), &count);

    for (size_t p = 0; p < count; p++, pass++) {
        const uint64_t beats = row_beats(d, insn, pass->groups);
        for (uint64_t r = 0; r < rows; r++) {
            /* Beats of the plain path wait until they cannot meet those behind a power. */
            if (now < ready[r]) now = ready[r];
            if (!pass->path_cycles && now < held) now = held;
            now += beats;
            ready[r] = now + pass->path_cycles + pass->until_cycles + pass->job_cycles;
            if (pass->path_cycles) held = now + pass->path_cycles;
        }
    }
    return now;
}

uint64_t lpu_cost_vector_cycles(const lpu_design *design, const lpu_insn *insn)
{
    const vector_recipe recipe = recipe_of(insn);
    const uint64_t blocks = insn->m / ROWS_OF_A_BLOCK, rest = insn->m % ROWS_OF_A_BLOCK;
    uint64_t cycles = CYCLES_start + (uint64_t)recipe_steps[recipe] * CYCLES_step;
    size_t count;
    const vector_pass *pass = passes_of(recipe, &count);

    cycles += blocks * block_cycles(design, insn, ROWS_OF_A_BLOCK);
    cycles += block_cycles(design, insn, rest);
    return cycles - 1 + CYCLES_end + pass[count - 1].path_cycles;
}

static void count_vector(const lpu_layout *l, const lpu_insn *i, lpu_counters *c)
{
    const uint64_t elems = (uint64_t)i->m * i->n;
    size_t count;
    const vector_pass *pass = passes_of(recipe_of(i), &count);

    for (size_t p = 0; p < count; p++, pass++) {
        const uint64_t times = pass->groups == GROUPS_lines ? elems * i->planes : elems;
        c->vector_adds += times * pass->adds;
        c->vector_read_bytes += times * pass->read_bytes;
        c->vector_write_bytes += times * pass->write_bytes;
        if (pass->groups == GROUPS_lines) {
            const uint64_t row =
                l->design->lane == LPU_LANE_ADD ? packed_bytes(i) : lpu_format_bytes(&l->kv, i->n);
            c->vector_write_bytes += (uint64_t)i->m * i->planes * row;
        }
    }
}

/* ---- all units ---- */

uint64_t lpu_cost_tree_bits(uint64_t terms, uint32_t bits)
{
    uint64_t sum = 0;
    for (; terms > 1; terms = (terms + 1) / 2) sum += terms / 2 * ++bits;
    return sum;
}

/* Adders of a tree whose inputs stay as they were from one row to the next do not switch. To first
 * order, as many as input bits change less than random ones do: activity, as of any CMOS net. */
static double quiet_share(const lpu_op *op)
{
    return fmax(0, 1 - op->toggle_share / LPU_TOGGLE_SHARE_RANDOM);
}

static void count_lanes(const lpu_layout *l, const lpu_insn *i, const lpu_op *op, uint64_t macs,
                        lpu_counters *c)
{
    const lpu_design *d = l->design;
    const bool is_column = i->flags & LPU_FLAG_COLUMN;
    const uint32_t tiles = lpu_ktile_count(i->k, d->cols);
    uint32_t bits = ACTIVATION_BITS;
    uint64_t tree_bits = 0;

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
        const double zeros = d->code == LPU_CODE_B1 ? 0 : op->zero_weight_share;
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
        tree_bits += (uint64_t)i->m * i->n * i->planes * lpu_cost_tree_bits(elems, bits);
    }
    const uint64_t quiet_bits = (uint64_t)llround((double)tree_bits * quiet_share(op));
    c->tree_add_bits += tree_bits - quiet_bits;
    c->tree_quiet_bits += quiet_bits;
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
    case LPU_UNIT_vector: count_vector(l, i, c); break;
    default: break;
    }
}
