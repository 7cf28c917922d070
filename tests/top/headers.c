/* tests/top/headers.c - rtl/lpu_insn.vh and rtl/lpu_regs.vh against the headers of C.
 *
 * headers.def is made of the two by tests/top/sequencer_test.sh: a line for each name. REGS is the
 * number of names in rtl/verify/regs.hh.
 */
#include "rtl/verify/regs.hh"
#include "sim/program.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static int wrong, fields, ops, flags, numbers;

static void unequal(const char *name, long verilog, long c)
{
    printf("not ok  headers: %s is %ld in Verilog, %ld in C\n", name, verilog, c);
    wrong++;
}

/* A field of ones makes just those bits of the encoded instruction ones. */
static void check_field(const char *name, int high, int low)
{
#define ROW(field)                                                                                 \
    {                                                                                              \
#field, offsetof(lpu_insn, field), sizeof(((lpu_insn *)0)->field)                          \
    }
    static const struct {
        const char *name;
        size_t at, bytes;
    } table[] = {
        ROW(op),
        ROW(flags),
        ROW(dst),
        ROW(a),
        ROW(b),
        ROW(c),
        ROW(planes),
        ROW(mode),
        ROW(m),
        ROW(m_inner),
        ROW(n),
        ROW(k),
        ROW(addr),
        ROW(segs),
        ROW(stride),
        ROW(a_off),
        ROW(a_stride),
        ROW(d_off),
        ROW(seg_bytes),
        ROW(d_stride),
        {"scale_m", offsetof(lpu_insn, scale.m), 2},
        {"scale_e", offsetof(lpu_insn, scale.e), 2},
    };
#undef ROW
    uint8_t bytes[LPU_INSN_BYTES];
    lpu_insn insn = {0};

    fields++;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (!strcasecmp(table[i].name, name))
            memset((char *)&insn + table[i].at, 255, table[i].bytes);
    }
    lpu_insn_encode(bytes, &insn);
    for (int bit = 0; bit < 8 * LPU_INSN_BYTES; bit++) {
        const int found = bytes[bit / 8] >> bit % 8 & 1, expected = bit >= low && bit <= high;
        if (found == expected) continue;
        unequal(name, expected, found);
        return;
    }
}

static void check_op(const char *name, int op)
{
    ops++;
    if (strcasecmp(lpu_insn_name((uint8_t)op), name)) unequal(name, op, -1);
}

static void check_flag(const char *name, int bit, int mask)
{
    flags++;
    if (mask != 1 << (bit - 8)) unequal(name, bit, mask);
}

static void check_number(const char *name, long verilog, long c)
{
    numbers++;
    if (verilog != c) unequal(name, verilog, c);
}

int main(void)
{
#define FIELD(name, high, low) check_field(#name, high, low);
#define OP(name, op)           check_op(#name, op);
#define FLAG(name, bit)        check_flag(#name, bit, LPU_FLAG_##name);
#define NUMBER(name, value)    check_number(#name, value, LPU_##name);
#include "headers.def"
    check_number("names of regs.hh", numbers - 3, REGS); /* three are of lpu_insn.vh */
    check_number("fields", fields, 22);
    check_number("opcodes", ops, LPU_INSN_OPS);
    check_number("flags", flags, 5);
    if (!wrong)
        printf("ok      headers: fields, opcodes and registers of Verilog are those of C\n");
    return wrong != 0;
}
