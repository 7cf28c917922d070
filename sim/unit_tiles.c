/* sim/unit_tiles.c - the tile sequencer: cuts products into tiles, gathers their beats from the
 * FIFO, and clocks the array.
 *
 *   product --> tiles: row block > plane > k tile --> queue of commands --> array
 *                                                 --> queue of fills --> gather
 *   FIFO --> gather: beat of `lines` lines, fill_bytes_per_cycle at most --> two buffers --> array
 *   array --> drain, one beat a cycle --> scratchpad
 *
 * Bytes taken from the FIFO in cycle t land in a buffer at the end of t + 1; the beat that they
 * make whole is offered to the array from t + 2 on. A tile is made a cycle before its first bytes
 * are taken, and before its command is offered. Room in the queue is that of the cycle's beginning.
 */
#include "sim/machine_units.h"

enum { BEAT_BUFFERS = 2 };

bool lpu_tiles_has_room(const lpu_machine *m)
{
    return m->tiles.has_room;
}

bool lpu_tiles_is_filling(const lpu_machine *m)
{
    return m->tiles.is_filling;
}

bool lpu_tiles_is_short(const lpu_machine *m)
{
    return m->tiles.is_short;
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

/* Those that the gather wants in a cycle. */
static uint32_t wanted_bytes(const lpu_machine *m)
{
    uint32_t bytes = beat_bytes(m) - m->tiles.gathered_bytes;
    if (bytes > m->design->fill_bytes_per_cycle) bytes = m->design->fill_bytes_per_cycle;
    return bytes;
}

/* A tile is commanded, and a buffer takes its bytes. */
static bool may_gather(const lpu_tiles *t, bool is_sent)
{
    return t->fill_count && t->beats - is_sent < BEAT_BUFFERS;
}

static bool may_make(const lpu_tiles *t)
{
    return t->making < t->count && t->fill_count < LPU_TILE_QUEUE && t->cmd_count < LPU_TILE_QUEUE;
}

static bool has_beat(const lpu_tiles *t)
{
    return t->beats > t->is_landing;
}

bool lpu_tiles_can_move(const lpu_machine *m)
{
    const lpu_tiles *t = &m->tiles;
    lpu_array_out out;

    lpu_array_outputs(m->array, &out);
    if (may_make(t) || t->is_landing) return true;
    if ((t->cmd_count && out.cmd_ready) || (has_beat(t) && out.w_ready)) return true;
    return may_gather(t, false) && m->stream.fifo_bytes;
}

static void finish_beat(lpu_machine *m)
{
    lpu_tiles *t = &m->tiles;
    lpu_tile_fill *fill = &t->fills[t->fill_first];

    t->gathered_bytes = 0;
    t->beats++;
    t->is_landing = true;
    if (fill->lines > m->design->lines) {
        fill->lines -= m->design->lines;
        return;
    }
    t->fill_first = (t->fill_first + 1) % LPU_TILE_QUEUE;
    t->fill_count--;
}

/* Takes bytes of the present beat. */
static void gather(lpu_machine *m)
{
    lpu_tiles *t = &m->tiles;
    const uint32_t wanted = beat_bytes(m);
    uint64_t bytes = wanted_bytes(m);

    if (bytes > m->stream.fifo_bytes) bytes = m->stream.fifo_bytes;
    if (!bytes) return;
    t->gathered_bytes += (uint32_t)bytes;
    m->stream.fifo_bytes -= bytes;
    m->stream.fifo_reserved_bytes -= bytes;
    m->has_progress = true;
    if (t->gathered_bytes == wanted) finish_beat(m);
}

/* Makes the next tile: its command, and what is to be gathered. */
static void make_tile(lpu_machine *m)
{
    lpu_tiles *t = &m->tiles;
    lpu_product *p = &t->products[(t->first + t->making) % LPU_ARRAY_QUEUE];

    describe(m, p, &t->cmds[(t->cmd_first + t->cmd_count++) % LPU_TILE_QUEUE],
             &t->fills[(t->fill_first + t->fill_count++) % LPU_TILE_QUEUE]);
    step_product(t, p, m->program->insns[p->insn].planes);
    m->has_progress = true;
}

static void take_command(lpu_machine *m)
{
    lpu_tiles *t = &m->tiles;

    t->cmd_first = (t->cmd_first + 1) % LPU_TILE_QUEUE;
    t->cmd_count--;
    m->has_progress = true;
}

/* One array beat holds one line of tiles whose lines are wider than the port: the array's clock
 * sees as many beats as lines / design->lines, each when its bytes are together. */
lpu_array_state lpu_tiles_step(lpu_machine *m)
{
    lpu_tiles *t = &m->tiles;
    lpu_array_out out;

    lpu_array_outputs(m->array, &out);
    const lpu_array_in in = {.cmd_valid = t->cmd_count,
                             .cmd = t->cmds[t->cmd_first],
                             .w_valid = has_beat(t),
                             .x_valid = true,
                             .y_ready = true};
    const bool is_sent = in.w_valid && out.w_ready;
    const bool makes = may_make(t), gathers = may_gather(t, is_sent);

    t->has_room = t->count < LPU_ARRAY_QUEUE;
    t->is_filling = t->fill_count;
    t->is_short = gathers && m->stream.fifo_bytes < wanted_bytes(m);
    if (is_sent || t->is_landing) m->has_progress = true;
    t->beats -= is_sent;
    t->is_landing = false;
    if (gathers) gather(m);
    if (in.cmd_valid && out.cmd_ready) take_command(m);
    if (makes) make_tile(m);
    const lpu_array_state state = lpu_array_step(m->array, &in);
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
