/* sim/unit_store.c - the writer: cache rows and results from the scratchpad to memory.
 *
 *   queue of stores --> walker --> AW: the burst       --> memory --> B: in flight, one less
 *                              --> W: beat after beat
 *
 * A beat is read from the scratchpad in one cycle and on W from the next. A store is done when
 * memory has every byte; only then may a fenced stream read. Partial bursts are masked writes: they
 * take a whole burst on the bus.
 */
#include "sim/machine_units.h"

enum { RESIDENT_BYTES = 64 }; /* the write port of resident memory */

bool lpu_store_has_room(const lpu_machine *m)
{
    return m->store.has_room;
}

void lpu_store_push(lpu_machine *m, size_t i)
{
    lpu_store *s = &m->store;
    s->queue[(s->first + s->count++) % LPU_STORE_QUEUE] =
        (lpu_store_entry){.insn = i, .walk = lpu_walk_of(&m->program->insns[i])};
}

static void retire_one(lpu_machine *m)
{
    lpu_store *s = &m->store;

    if (!s->walked || s->queue[s->first].in_flight) return;
    lpu_sequencer_retire(m, s->queue[s->first].insn);
    s->first = (s->first + 1) % LPU_STORE_QUEUE;
    s->count--;
    s->walked--;
    m->stores_pending--;
    m->has_progress = true;
}

/* What the memory takes and gives in this cycle. */
static void exchange(lpu_machine *m)
{
    lpu_store *s = &m->store;
    uint32_t slot;

    if (lpu_port_b(m->port, &slot)) {
        s->queue[slot].in_flight--;
        m->has_progress = true;
    }
    if (s->has_address && lpu_port_write(m->port, s->address, s->slot)) {
        s->has_address = false;
        m->has_progress = true;
    }
    if (s->has_beat && lpu_port_write_beat(m->port)) {
        s->has_beat = false;
        m->has_progress = true;
    }
}

/* The next beat of e to W, the burst's address with the first; false while they are taken. */
static bool send(lpu_machine *m, lpu_store_entry *e, uint32_t slot)
{
    lpu_store *s = &m->store;
    uint32_t useful;

    if (s->has_beat || (!s->beat && s->has_address)) return false;
    if (!s->beat) {
        s->address = lpu_walk_peek(&e->walk, s->burst_bytes, &useful);
        s->slot = slot;
        s->has_address = true;
        e->in_flight++;
        m->ops[m->program->notes[e->insn].op].dram_write_bytes += s->burst_bytes;
    }
    s->has_beat = true;
    if (++s->beat < s->beats) return true;
    s->beat = 0;
    lpu_walk_next(&e->walk, s->burst_bytes, &useful);
    return true;
}

void lpu_store_step(lpu_machine *m)
{
    lpu_store *s = &m->store;
    uint32_t useful;

    s->has_room = s->count < LPU_STORE_QUEUE;
    retire_one(m);
    exchange(m);
    if (s->is_walking) {
        const uint32_t slot = (s->first + s->walked) % LPU_STORE_QUEUE;
        lpu_store_entry *e = &s->queue[slot];
        if (m->program->insns[e->insn].flags & LPU_FLAG_ON_CHIP) {
            lpu_walk_next(&e->walk, RESIDENT_BYTES, &useful);
        } else if (!send(m, e, slot)) {
            return;
        }
        m->has_progress = true;
        if (e->walk.segs) return;
        s->walked++;
    }
    s->is_walking = s->walked < s->count;
    if (s->is_walking) m->has_progress = true;
}
