/* sim/unit_store.c - the writer: cache rows and results from the scratchpad to memory.
 *
 * A store is done when memory has every byte; only then may a fenced stream read. Partial bursts
 * are masked writes: they take a whole burst on the bus.
 */
#include "sim/machine_units.h"

enum { RESIDENT_BYTES = 64 }; /* the write port of resident memory */

bool lpu_store_has_room(const lpu_machine *m)
{
    return m->store.count < LPU_STORE_QUEUE;
}

void lpu_store_push(lpu_machine *m, size_t i)
{
    lpu_store *s = &m->store;
    s->queue[(s->first + s->count++) % LPU_STORE_QUEUE] =
        (lpu_store_entry){.insn = i, .walk = lpu_walk_of(&m->program->insns[i])};
}

static void retire_done(lpu_machine *m)
{
    lpu_store *s = &m->store;

    while (s->walking && !s->queue[s->first].in_flight) {
        lpu_sequencer_retire(m, s->queue[s->first].insn);
        s->first = (s->first + 1) % LPU_STORE_QUEUE;
        s->count--;
        s->walking--;
        m->stores_pending--;
        m->has_progress = true;
    }
}

void lpu_store_written(lpu_machine *m, uint32_t tag)
{
    m->store.queue[tag & ~(uint32_t)LPU_STORE_TAG].in_flight--;
    retire_done(m);
}

/* One burst a cycle. */
void lpu_store_step(lpu_machine *m)
{
    lpu_store *s = &m->store;
    if (s->walking == s->count) return;

    const uint32_t slot = (s->first + s->walking) % LPU_STORE_QUEUE;
    lpu_store_entry *e = &s->queue[slot];
    const lpu_insn *insn = &m->program->insns[e->insn];
    const bool is_resident = insn->flags & LPU_FLAG_ON_CHIP;
    const uint32_t burst = is_resident ? RESIDENT_BYTES : m->design->dram.burst_bytes;
    uint32_t useful;
    const uint64_t address = lpu_walk_peek(&e->walk, burst, &useful);

    if (!is_resident) {
        if (!lpu_dram_offer(m->dram, address, true, LPU_STORE_TAG | slot)) return;
        e->in_flight++;
        m->ops[m->program->notes[e->insn].op].dram_write_bytes += burst;
    }
    lpu_walk_next(&e->walk, burst, &useful);
    m->has_progress = true;
    if (e->walk.segs) return;
    s->walking++;
    retire_done(m);
}
