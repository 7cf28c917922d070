/* sim/program.c - instructions as structs, bytes and text. */
#include "sim/program.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    lpu_unit unit;
} table[LPU_INSN_OPS] = {
#define LPU_INSN(name, unit, text) {#name, LPU_UNIT_##unit},
#include "sim/isa.def"
#undef LPU_INSN
};

const char *lpu_insn_name(uint8_t op)
{
    return op < LPU_INSN_OPS ? table[op].name : "illegal";
}

lpu_unit lpu_insn_unit(uint8_t op)
{
    return op < LPU_INSN_OPS ? table[op].unit : LPU_UNIT_sequencer;
}

/* Makes room for one more of size bytes; *items and *room change together. */
static lpu_status grow(void **items, size_t count, size_t *room, size_t bytes)
{
    if (count < *room) return LPU_OK;

    const size_t wanted = *room ? 2 * *room : 64;
    void *more = realloc(*items, wanted * bytes);
    if (!more) return LPU_ERR_MEMORY;
    *items = more;
    *room = wanted;
    return LPU_OK;
}

lpu_status lpu_program_append(lpu_program *p, const lpu_insn *insn, const lpu_insn_note *note)
{
    size_t room = p->room;
    lpu_status status = grow((void **)&p->insns, p->count, &room, sizeof(*p->insns));
    if (status) return status;
    status = grow((void **)&p->notes, p->count, &p->room, sizeof(*p->notes));
    if (status) return status;
    p->insns[p->count] = *insn;
    p->notes[p->count] = *note;
    p->count++;
    return LPU_OK;
}

lpu_status lpu_program_end_segment(lpu_program *p)
{
    lpu_status status =
        grow((void **)&p->segments, p->segment_count, &p->segment_room, sizeof(*p->segments));
    if (status) return status;

    size_t first = 0;
    if (p->segment_count) {
        const lpu_segment *last = &p->segments[p->segment_count - 1];
        first = last->first + last->count;
    }
    p->segments[p->segment_count] =
        (lpu_segment){.first = first, .count = p->count - first, .same_as = p->segment_count};
    p->segment_count++;
    return LPU_OK;
}

void lpu_program_close(lpu_program *p)
{
    free(p->insns);
    free(p->notes);
    free(p->segments);
    memset(p, 0, sizeof(*p));
}

static void put_word(uint8_t *bytes, size_t index, uint32_t value)
{
    for (size_t i = 0; i < 4; i++) bytes[4 * index + i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get_word(const uint8_t *bytes, size_t index)
{
    uint32_t value = 0;
    for (size_t i = 0; i < 4; i++) value |= (uint32_t)bytes[4 * index + i] << (8 * i);
    return value;
}

static uint32_t four(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (uint32_t)a | (uint32_t)b << 8 | (uint32_t)c << 16 | (uint32_t)d << 24;
}

void lpu_insn_encode(uint8_t bytes[LPU_INSN_BYTES], const lpu_insn *i)
{
    const uint32_t words[LPU_INSN_BYTES / 4] = {
        four(i->op, i->flags, i->dst, i->a),
        four(i->b, i->c, i->planes, i->mode),
        i->m,
        i->m_inner,
        i->n,
        i->k,
        (uint32_t)i->addr,
        (uint32_t)(i->addr >> 32),
        i->seg_bytes,
        i->segs,
        i->stride,
        i->a_off,
        i->a_stride,
        i->d_off,
        i->d_stride,
        (uint32_t)i->scale.m | (uint32_t)(uint16_t)i->scale.e << 16,
    };
    for (size_t w = 0; w < LPU_INSN_BYTES / 4; w++) put_word(bytes, w, words[w]);
}

lpu_status lpu_insn_decode(lpu_insn *i, const uint8_t bytes[LPU_INSN_BYTES], lpu_diag *diag)
{
    if (bytes[0] >= LPU_INSN_OPS) {
        return lpu_fail(diag, LPU_ERR_FORMAT, "instruction: found opcode %u, expected 0 to %d",
                        bytes[0], LPU_INSN_OPS - 1);
    }
    *i = (lpu_insn){
        .op = bytes[0],
        .flags = bytes[1],
        .dst = bytes[2],
        .a = bytes[3],
        .b = bytes[4],
        .c = bytes[5],
        .planes = bytes[6],
        .mode = bytes[7],
        .m = get_word(bytes, 2),
        .m_inner = get_word(bytes, 3),
        .n = get_word(bytes, 4),
        .k = get_word(bytes, 5),
        .addr = get_word(bytes, 6) | (uint64_t)get_word(bytes, 7) << 32,
        .seg_bytes = get_word(bytes, 8),
        .segs = get_word(bytes, 9),
        .stride = get_word(bytes, 10),
        .a_off = get_word(bytes, 11),
        .a_stride = get_word(bytes, 12),
        .d_off = get_word(bytes, 13),
        .d_stride = get_word(bytes, 14),
    };
    const uint32_t scale = get_word(bytes, 15);
    i->scale = (lpu_scale){(uint16_t)scale, (int16_t)(scale >> 16)};
    return LPU_OK;
}

static void print_buffer(FILE *file, const char *name, uint8_t buffer)
{
    if (buffer != LPU_BUFFER_NONE) fprintf(file, " %s %u", name, buffer);
}

void lpu_insn_print(FILE *file, const lpu_insn *i)
{
    const lpu_unit unit = lpu_insn_unit(i->op);

    fprintf(file, "%-8s", lpu_insn_name(i->op));
    if (i->op == LPU_INSN_halt || i->op == LPU_INSN_sync) {
        fprintf(file, "\n");
        return;
    }
    print_buffer(file, "dst", i->dst);
    print_buffer(file, "a", i->a);
    print_buffer(file, "b", i->b);
    print_buffer(file, "c", i->c);
    if (unit == LPU_UNIT_stream || unit == LPU_UNIT_store) {
        fprintf(file, " addr 0x%" PRIx64 " bytes %u x %u stride %u%s", i->addr, i->segs,
                i->seg_bytes, i->stride, i->flags & LPU_FLAG_FENCE ? " fence" : "");
    } else if (i->op == LPU_INSN_setbuf) {
        fprintf(file, " addr 0x%" PRIx64 " bytes %u", i->addr, i->n);
    } else {
        fprintf(file, " m %u n %u k %u", i->m, i->n, i->k);
        if (i->planes) fprintf(file, " planes %u", i->planes);
        if (i->flags & LPU_FLAG_COLUMN) fprintf(file, " column");
    }
    fprintf(file, "\n");
}
