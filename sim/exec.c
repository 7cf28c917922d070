/* sim/exec.c - buffers, loads and stores; hands the rest to the units. */
#include "sim/exec_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_ALIGN = 8, M_MAX = 65535, SIDE_MAX = (1 << 22) - 1 };

/* ---- refusing ---- */

lpu_status lpu_exec_refuse(const lpu_exec *e, const char *found, uint64_t number,
                           const char *expected)
{
    return lpu_fail(e->diag, LPU_ERR_FORMAT, "%s: found %s %" PRIu64 ", expected %s",
                    lpu_insn_name(e->insn->op), found, number, expected);
}

/* ---- places ---- */

void *lpu_exec_elems(lpu_exec *e, uint8_t buffer, size_t elem_bytes, uint64_t first, uint64_t elems)
{
    uint64_t end;

    if (buffer >= LPU_BUFFERS || !e->buffers[buffer].bytes) {
        lpu_exec_refuse(e, "buffer", buffer, "one that setbuf has placed");
        return NULL;
    }
    const lpu_exec_buffer_place *b = &e->buffers[buffer];
    if (__builtin_add_overflow(first, elems, &end) || end > b->bytes / elem_bytes) {
        lpu_fail(e->diag, LPU_ERR_FORMAT,
                 "%s: found elements %" PRIu64 " to %" PRIu64 " of buffer %u, expected at most %zu",
                 lpu_insn_name(e->insn->op), first, first + elems, buffer,
                 (size_t)(b->bytes / elem_bytes));
        return NULL;
    }
    return e->scratch + b->base + first * elem_bytes;
}

void *lpu_exec_work(lpu_exec *e, size_t bytes)
{
    if (bytes <= e->work_bytes) return e->work;
    free(e->work);
    e->work = malloc(bytes);
    e->work_bytes = e->work ? bytes : 0;
    if (!e->work) lpu_fail(e->diag, LPU_ERR_MEMORY, "exec: out of memory");
    return e->work;
}

static lpu_status set_buffer(lpu_exec *e)
{
    const lpu_insn *i = e->insn;

    if (i->dst >= LPU_BUFFERS) return lpu_exec_refuse(e, "buffer", i->dst, "0 to 31");
    if (i->addr % BUFFER_ALIGN) return lpu_exec_refuse(e, "address", i->addr, "a multiple of 8");
    if (i->addr > e->config.scratch_bytes || i->n > e->config.scratch_bytes - i->addr) {
        return lpu_exec_refuse(e, "an end at byte", i->addr + i->n, "one within the scratchpad");
    }
    e->buffers[i->dst] = (lpu_exec_buffer_place){i->addr, i->n};
    return LPU_OK;
}

/* ---- load, store ---- */

/* The segments of the instruction lie in memory. */
static lpu_status check_segments(lpu_exec *e)
{
    const lpu_insn *i = e->insn;
    uint64_t end;

    if (!i->segs || !i->seg_bytes) return lpu_exec_refuse(e, "bytes", 0, "at least one");
    const uint64_t span = (uint64_t)(i->segs - 1) * i->stride + i->seg_bytes;
    if (__builtin_add_overflow(i->addr, span, &end) || end > e->config.memory_bytes) {
        return lpu_exec_refuse(e, "an end at byte", i->addr + span, "one within memory");
    }
    return LPU_OK;
}

static lpu_status copy_segments(lpu_exec *e, bool is_store)
{
    const lpu_insn *i = e->insn;
    const uint64_t bytes = (uint64_t)i->segs * i->seg_bytes;
    uint8_t *inside =
        lpu_exec_elems(e, is_store ? i->a : i->dst, 1, is_store ? i->a_off : i->d_off, bytes);

    if (!inside) return LPU_ERR_FORMAT;
    for (uint32_t s = 0; s < i->segs; s++, inside += i->seg_bytes) {
        const uint64_t at = i->addr + (uint64_t)s * i->stride;
        if (!is_store) {
            memcpy(inside, e->config.memory + at, i->seg_bytes);
            continue;
        }
        if (lpu_exec_stream_overlaps(e, at, i->seg_bytes)) {
            return lpu_exec_refuse(e, "address", at, "one that no waiting stream reads");
        }
        memcpy(e->config.memory + at, inside, i->seg_bytes);
    }
    return LPU_OK;
}

/* ---- one instruction ---- */

/* Shapes that the arithmetic is defined for. */
static lpu_status check_shape(lpu_exec *e)
{
    const lpu_insn *i = e->insn;

    if (!i->m || i->m > M_MAX) return lpu_exec_refuse(e, "m", i->m, "1 to 65535");
    if (!i->m_inner || i->m % i->m_inner) {
        return lpu_exec_refuse(e, "m_inner", i->m_inner, "a divisor of m");
    }
    if (!i->n || i->n > SIDE_MAX) return lpu_exec_refuse(e, "n", i->n, "1 to 2^22 - 1");
    if (i->k > SIDE_MAX) return lpu_exec_refuse(e, "k", i->k, "at most 2^22 - 1");
    return LPU_OK;
}

void lpu_exec_watch(lpu_exec *e, lpu_tally *tally)
{
    e->tally = tally;
}

lpu_status lpu_exec_step(lpu_exec *e, const lpu_insn *insn, lpu_diag *diag)
{
    const lpu_unit unit = lpu_insn_unit(insn->op);
    lpu_status status = LPU_OK;

    e->insn = insn;
    e->diag = diag;
    if (insn->op >= LPU_INSN_OPS) return lpu_exec_refuse(e, "opcode", insn->op, "one of isa.def");
    if (unit == LPU_UNIT_array || unit == LPU_UNIT_vector) status = check_shape(e);
    if (!status && (insn->op == LPU_INSN_matmul || insn->op == LPU_INSN_kvpack)) {
        status = lpu_exec_check_cut(e);
    }
    if (unit == LPU_UNIT_stream || unit == LPU_UNIT_store) status = check_segments(e);
    if (status) return status;

    switch ((lpu_insn_op)insn->op) {
    case LPU_INSN_halt:
    case LPU_INSN_sync: return lpu_exec_stream_check(e);
    case LPU_INSN_setbuf: return set_buffer(e);
    case LPU_INSN_stream: return lpu_exec_stream_push(e);
    case LPU_INSN_load: return copy_segments(e, false);
    case LPU_INSN_store: return copy_segments(e, true);
    case LPU_INSN_matmul: return lpu_exec_matmul(e);
    default: return lpu_exec_vector(e);
    }
}

const void *lpu_exec_buffer(const lpu_exec *e, uint8_t buffer)
{
    const bool is_placed = buffer < LPU_BUFFERS && e->buffers[buffer].bytes;
    return is_placed ? e->scratch + e->buffers[buffer].base : NULL;
}

/* ---- opening ---- */

/* The digits of every byte of the code. */
static void fill_digits(lpu_exec *e)
{
    for (uint32_t byte = 0; byte < LPU_EXEC_BYTES; byte++) {
        int8_t digits[LPU_EXEC_DIGITS] = {0};
        const uint8_t code = (uint8_t)byte;
        lpu_diag unused;

        e->is_illegal[byte] =
            lpu_ternary_decode(e->config.code, digits, &code, e->per_byte, &unused) != LPU_OK;
        for (uint32_t d = 0; d < e->per_byte; d++) e->digits[byte][d] = digits[d];
    }
}

lpu_status lpu_exec_open(lpu_exec **out, const lpu_exec_config *config, lpu_diag *diag)
{
    *out = NULL;
    if (config->code == LPU_CODE_B1) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "exec: found the 1-bit code, expected base-3 or the 2-bit code");
    }
    lpu_exec *e = calloc(1, sizeof(*e));
    if (!e) return lpu_fail(diag, LPU_ERR_MEMORY, "exec: out of memory");
    e->config = *config;
    e->per_byte = (uint32_t)lpu_ternary_per_byte(config->code);
    e->scratch = calloc(1, config->scratch_bytes);
    e->line = malloc((config->rows > config->cols ? config->rows : config->cols) + 1);
    if (!e->scratch || !e->line) {
        lpu_exec_close(&e);
        return lpu_fail(diag, LPU_ERR_MEMORY, "exec: out of memory");
    }
    fill_digits(e);
    *out = e;
    return LPU_OK;
}

void lpu_exec_close(lpu_exec **e)
{
    if (!*e) return;
    free((*e)->scratch);
    free((*e)->queue);
    free((*e)->line);
    free((*e)->work);
    free(*e);
    *e = NULL;
}
