/* sim/unit_tiles.c - the tile sequencer: cuts products into tiles, gathers their beats from the
 * FIFO, and clocks the array.
 *
 *   product --> tiles: row block > plane > k tile --> commands to the array
 *   FIFO --> beat of `lines` lines, fill_bytes_per_cycle at most --> array
 *   array --> drain, one beat a cycle --> scratchpad
 */
#include "sim/machine_units.h"

bool lpu_tiles_has_room(const lpu_machine *m)
{
    return m->tiles.count < LPU_ARRAY_QUEUE;
}

void lpu_tiles_push(lpu_machine *m, size_t i)
{
    lpu_tiles *t = &m->tiles;
    const lpu_design *d = m->design;
    const lpu_insn *insn = &m->program->insns[i];
    const uint32_t full = insn->n / d->rows, left = insn->n % d->rows;
    const uint32_t lanes = d->vector_lanes;

    t->products[(t->first + t->count++) % LPU_ARRAY_QUEUE] =
        (lpu_product){.insn = i,
                      .blocks = full + (left != 0),
                      .tiles = insn->stride,
                      .beats_left = (uint64_t)insn->m * ((uint64_t)full * (d->rows / lanes) +
                                                         (left + lanes - 1) / lanes)};
}

/* What the longer k tiles have more: a byte of digits, or one wide weight. */
static uint32_t unit_bytes(const lpu_machine *m)
{
    return m->design->lane == LPU_LANE_MAC_F16 ? 2 : 1;
}

/* The product's next tile, as the array's command and as bytes. */
static void describe(const lpu_machine *m, const lpu_product *p, lpu_array_cmd *cmd,
                     lpu_tile_fill *fill)
{
    const lpu_insn *i = &m->program->insns[p->insn];
    const uint32_t first_row = p->block * m->design->rows, cols = m->design->cols;
    const uint32_t left = i->n - first_row;
    const bool is_first = !p->plane && !p->tile;

    cmd->rows = left < m->design->rows ? left : m->design->rows;
    cmd->passes = i->m;
    cmd->is_column = i->flags & LPU_FLAG_COLUMN;
    cmd->accum = is_first ? LPU_ACCUM_CLEAR : p->tile || i->mode ? LPU_ACCUM_ADD : LPU_ACCUM_HORNER;
    cmd->is_last = p->plane + 1 == i->planes && p->tile + 1 == p->tiles;
    if (cmd->is_column) {
        const uint32_t tokens = i->k - p->tile * cols;
        fill->lines = tokens < cols ? tokens : cols;
        fill->line_bytes = p->block + 1 < p->blocks ? i->seg_bytes : i->segs;
    } else {
        fill->lines = cmd->rows;
        fill->line_bytes = i->seg_bytes + (p->tile < i->segs ? unit_bytes(m) : 0);
    }
    cmd->lines = fill->lines;
}

static void step_product(lpu_tiles *t, lpu_product *p, uint32_t planes)
{
    if (++p->tile < p->tiles) return;
    p->tile = 0;
    if (++p->plane < planes) return;
    p->plane = 0;
    if (++p->block < p->blocks) return;
    p->is_made = true;
    t->making++;
}

/* Bytes of the present beat. */
static uint32_t beat_bytes(const lpu_machine *m)
{
    const lpu_tile_fill *fill = &m->tiles.fills[m->tiles.fill_first];
    return (fill->lines < m->design->lines ? fill->lines : m->design->lines) * fill->line_bytes;
}

/* Gathers bytes of the present beat; true when it is whole. */
static bool gather(lpu_machine *m)
{
    lpu_tiles *t = &m->tiles;
    if (!t->fill_count) return false;

    const uint32_t wanted = beat_bytes(m);
    uint64_t bytes = wanted - t->gathered_bytes;

    if (bytes > m->design->fill_bytes_per_cycle) bytes = m->design->fill_bytes_per_cycle;
    if (bytes > m->stream.fifo_bytes) bytes = m->stream.fifo_bytes;
    if (bytes) {
        t->gathered_bytes += (uint32_t)bytes;
        m->stream.fifo_bytes -= bytes;
        m->stream.fifo_reserved_bytes -= bytes;
        m->has_progress = true;
    }
    return t->gathered_bytes == wanted;
}

bool lpu_tiles_can_move(const lpu_machine *m)
{
    const lpu_tiles *t = &m->tiles;
    lpu_array_out out;

    lpu_array_outputs(m->array, &out);
    if (out.cmd_ready && t->making < t->count && t->fill_count < LPU_TILE_QUEUE) return true;
    if (!t->fill_count) return false;
    return t->gathered_bytes == beat_bytes(m) ? out.w_ready : m->stream.fifo_bytes > 0;
}

bool lpu_tiles_is_short(const lpu_machine *m)
{
    const lpu_tiles *t = &m->tiles;
    if (!t->fill_count) return false;

    const lpu_tile_fill *fill = &t->fills[t->fill_first];
    return m->stream.fifo_bytes + t->gathered_bytes < (uint64_t)fill->lines * fill->line_bytes;
}

static void finish_beat(lpu_machine *m)
{
    lpu_tiles *t = &m->tiles;
    lpu_tile_fill *fill = &t->fills[t->fill_first];

    t->gathered_bytes = 0;
    m->has_progress = true;
    if (fill->lines > m->design->lines) {
        fill->lines -= m->design->lines;
        return;
    }
    t->fill_first = (t->fill_first + 1) % LPU_TILE_QUEUE;
    t->fill_count--;
}

/* One array beat holds one line of tiles whose lines are wider than the port: the array's clock
 * sees as many beats as lines / design->lines, each when its bytes are together. */
lpu_array_state lpu_tiles_step(lpu_machine *m)
{
    lpu_tiles *t = &m->tiles;
    lpu_product *p = NULL;
    lpu_array_in in = {.x_valid = true, .y_ready = true};
    lpu_array_out out;
    lpu_tile_fill fill;

    lpu_array_outputs(m->array, &out);
    if (out.cmd_ready && t->making < t->count && t->fill_count < LPU_TILE_QUEUE) {
        p = &t->products[(t->first + t->making) % LPU_ARRAY_QUEUE];
        describe(m, p, &in.cmd, &fill);
        in.cmd_valid = true;
    }
    in.w_valid = gather(m);
    const lpu_array_state state = lpu_array_step(m->array, &in);
    if (in.w_valid && out.w_ready) finish_beat(m);
    if (in.cmd_valid) {
        t->fills[(t->fill_first + t->fill_count++) % LPU_TILE_QUEUE] = fill;
        step_product(t, p, m->program->insns[p->insn].planes);
        m->has_progress = true;
    }
    if (out.y_valid) lpu_tiles_drained(m, 1);
    return state;
}

void lpu_tiles_drained(lpu_machine *m, uint64_t beats)
{
    lpu_tiles *t = &m->tiles;
    lpu_product *p = &t->products[t->first];

    p->beats_left -= beats;
    if (p->beats_left) return;
    lpu_sequencer_retire(m, p->insn);
    t->first = (t->first + 1) % LPU_ARRAY_QUEUE;
    t->count--;
    t->making--;
    m->has_progress = true;
}
