/* sim/unit_vector.c - the vector unit: one instruction at a time, in order, sim/vector.def cycles.
 */
#include "sim/machine_units.h"

bool lpu_vector_has_room(const lpu_machine *m)
{
    return m->vector.held < LPU_VECTOR_QUEUE;
}

void lpu_vector_push(lpu_machine *m, size_t i)
{
    lpu_vector *v = &m->vector;
    v->queue[(v->first + v->count++) % LPU_VECTOR_QUEUE] = i;
}

void lpu_vector_step(lpu_machine *m)
{
    lpu_vector *v = &m->vector;

    v->held = v->count;
    if (v->is_busy && m->now_cycles >= v->done_at_cycles) {
        lpu_sequencer_retire(m, v->queue[v->first]);
        v->first = (v->first + 1) % LPU_VECTOR_QUEUE;
        v->count--;
        v->is_busy = false;
        m->has_progress = true;
    }
    if (!v->is_busy && v->count) {
        const lpu_insn *insn = &m->program->insns[v->queue[v->first]];
        v->done_at_cycles = m->now_cycles + lpu_cost_vector_cycles(m->design, insn);
        v->is_busy = true;
        m->has_progress = true;
    }
}
