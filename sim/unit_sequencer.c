/* sim/unit_sequencer.c - in-order issue, one instruction a cycle, behind a scoreboard of buffers.
 *
 * An instruction waits while its unit's queue is full, while a buffer that it reads has a writer in
 * another unit, or while the one that it writes has a reader or writer in another unit. Within the
 * vector unit and within the stream engine order is kept by the queue itself.
 */
#include "sim/machine_units.h"

static bool is_ordered(lpu_unit unit)
{
    return unit == LPU_UNIT_vector || unit == LPU_UNIT_stream;
}

static bool has_pending(uint32_t pending[LPU_BUFFERS][LPU_UNITS], uint8_t buffer, lpu_unit mine)
{
    if (buffer >= LPU_BUFFERS) return false;
    for (int u = 0; u < LPU_UNITS; u++) {
        if (pending[buffer][u] && !(u == (int)mine && is_ordered(mine))) return true;
    }
    return false;
}

static bool has_hazard(lpu_machine *m, const lpu_insn *i)
{
    const lpu_unit unit = lpu_insn_unit(i->op);
    return has_pending(m->writers, i->a, unit) || has_pending(m->writers, i->b, unit) ||
           has_pending(m->writers, i->c, unit) || has_pending(m->writers, i->dst, unit) ||
           has_pending(m->readers, i->dst, unit);
}

static void mark(uint32_t pending[LPU_BUFFERS][LPU_UNITS], uint8_t buffer, lpu_unit unit,
                 uint32_t change)
{
    if (buffer < LPU_BUFFERS) pending[buffer][unit] += change;
}

static void mark_all(lpu_machine *m, const lpu_insn *i, uint32_t change)
{
    const lpu_unit unit = lpu_insn_unit(i->op);
    mark(m->readers, i->a, unit, change);
    mark(m->readers, i->b, unit, change);
    mark(m->readers, i->c, unit, change);
    mark(m->writers, i->dst, unit, change);
}

void lpu_sequencer_retire(lpu_machine *m, size_t i)
{
    const lpu_insn *insn = &m->program->insns[i];
    const size_t local = i - m->first;

    mark_all(m, insn, UINT32_MAX); /* minus one */
    m->is_retired[local] = true;
    while (m->oldest < m->pc && m->is_retired[m->oldest - m->first]) m->oldest++;
    if (m->watch) {
        const lpu_machine_event event = {
            lpu_insn_unit(insn->op),    insn->op,          m->program->notes[i].op, i,
            m->issued_at_cycles[local], m->now_cycles + 1,
        };
        m->watch(m->watch_user, &event);
    }
}

static bool has_room(const lpu_machine *m, lpu_unit unit)
{
    switch (unit) {
    case LPU_UNIT_stream: return lpu_stream_has_room(m);
    case LPU_UNIT_array: return lpu_tiles_has_room(m);
    case LPU_UNIT_vector: return lpu_vector_has_room(m);
    case LPU_UNIT_store: return lpu_store_has_room(m);
    default: return true;
    }
}

void lpu_sequencer_step(lpu_machine *m)
{
    if (m->pc + 1 >= m->end) return; /* the last one, SYNC or HALT, is the machine's own */

    const size_t i = m->pc;
    const lpu_insn *insn = &m->program->insns[i];
    const lpu_unit unit = lpu_insn_unit(insn->op);

    if (!has_room(m, unit) || has_hazard(m, insn)) return;
    m->pc++;
    m->has_progress = true;
    m->issued_at_cycles[i - m->first] = m->now_cycles;
    mark_all(m, insn, 1);
    lpu_cost_count(m->layout, insn, &m->trace->ops[m->program->notes[i].op],
                   &m->ops[m->program->notes[i].op]);
    switch (unit) {
    case LPU_UNIT_stream: lpu_stream_push(m, i); break;
    case LPU_UNIT_array: lpu_tiles_push(m, i); break;
    case LPU_UNIT_vector: lpu_vector_push(m, i); break;
    case LPU_UNIT_store:
        m->stores_pending++;
        lpu_store_push(m, i);
        break;
    default: lpu_sequencer_retire(m, i); break;
    }
}
