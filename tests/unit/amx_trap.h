/* tests/unit/amx_trap.h - does what an AMX instruction says when the CPU does not know it.
 *
 * Such an instruction ends in SIGILL. The handler takes its bytes apart (Intel SDM, volume 2,
 * chapter 2: VEX with three bytes, ModRM, SIB), calls amx_in_c.h with the registers of the
 * interrupted program, and goes on behind it: kernels run as the compiler made them.
 *
 *     C4 | R X B m m m m m | W v v v v L p p | opcode | mod reg rm | scale index base | disp.
 */
#ifndef LPU_TESTS_UNIT_AMX_TRAP_H
#define LPU_TESTS_UNIT_AMX_TRAP_H

#include "tests/unit/amx_in_c.h"

#include <cpuid.h>
#include <signal.h>
#include <ucontext.h>

typedef struct amx_instruction {
    uint8_t opcode, prefix; /* prefix: 0 none, 1 66, 2 F3, 3 F2 */
    bool has_memory;
    int reg, rm, v;       /* tiles: ModRM.reg, ModRM.rm, VEX.vvvv */
    int64_t base, stride; /* of memory */
    size_t bytes;
} amx_instruction;

static int64_t amx_register(const ucontext_t *c, int number)
{
    static const int places[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                 REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                 REG_R12, REG_R13, REG_R14, REG_R15};
    return c->uc_mcontext.gregs[places[number]];
}

/* The bytes of a memory operand from ModRM on; returns how many. */
static size_t amx_memory(amx_instruction *i, const ucontext_t *c, const uint8_t *at, int x, int b)
{
    const int mod = at[0] >> 6, rm = at[0] & 7;
    size_t bytes = 1;
    int base = rm | b << 3, index = 4;

    if (rm == 4) {
        base = (at[1] & 7) | b << 3;
        index = (at[1] >> 3 & 7) | x << 3;
        bytes = 2;
    }
    if (mod == 0 && (base & 7) == 5) amx_fault("an address without a base, which is not read here");
    i->base = amx_register(c, base);
    i->stride = index == 4 ? 0 : amx_register(c, index) * (1 << (at[1] >> 6));
    if (mod == 1) {
        i->base += (int8_t)at[bytes];
        bytes += 1;
    } else if (mod == 2) {
        int32_t displacement;
        memcpy(&displacement, at + bytes, 4);
        i->base += displacement;
        bytes += 4;
    }
    return bytes;
}

static amx_instruction amx_read(const ucontext_t *c)
{
    const uint8_t *at = (const uint8_t *)(uintptr_t)c->uc_mcontext.gregs[REG_RIP];
    amx_instruction i = {.opcode = at[3], .prefix = at[2] & 3};

    /* In map 0F 38, W and L 0; R, X, B and v are stored inverted. */
    if (at[0] != 0xc4 || (at[1] & 31) != 2 || at[2] & 0x84) {
        amx_fault("an instruction that is not of AMX");
    }
    i.v = ~at[2] >> 3 & 15;
    i.reg = at[4] >> 3 & 7;
    i.rm = at[4] & 7;
    i.has_memory = at[4] >> 6 != 3;
    i.bytes = 5;
    if (i.has_memory) i.bytes = 4 + amx_memory(&i, c, at + 4, ~at[1] >> 6 & 1, ~at[1] >> 5 & 1);
    return i;
}

/* Opcode, and prefix: the tables "Opcode" of each instruction. */
static void amx_do(const amx_instruction *i)
{
    void *memory = (void *)(uintptr_t)i->base;

    if (i->opcode == 0x49 && i->has_memory && i->prefix == 0) amx_configure(memory);
    else if (i->opcode == 0x49 && !i->has_memory && i->prefix == 0) amx_release();
    else if (i->opcode == 0x49 && !i->has_memory && i->prefix == 3) amx_zero(i->reg);
    else if (i->opcode == 0x4b && i->has_memory && i->prefix == 3)
        amx_load(i->reg, memory, (long)i->stride);
    else if (i->opcode == 0x4b && i->has_memory && i->prefix == 2)
        amx_store(i->reg, memory, (long)i->stride);
    else if (i->opcode == 0x5c && !i->has_memory && i->prefix == 2)
        amx_multiply_bf16(i->reg, i->rm, i->v);
    else if (i->opcode == 0x5e && !i->has_memory)
        amx_multiply_bytes(i->reg, i->rm, i->v, i->prefix >= 2, i->prefix == 3 || i->prefix == 1);
    else amx_fault("an instruction of AMX that no kernel has");
}

static void amx_on_signal(int number, siginfo_t *info, void *context)
{
    ucontext_t *c = context;
    const amx_instruction i = amx_read(c);

    (void)number;
    (void)info;
    amx_do(&i);
    c->uc_mcontext.gregs[REG_RIP] += (long long)i.bytes;
}

/* From here on; false if this CPU has tiles itself, whatever the system says. */
static bool amx_trap(void)
{
    struct sigaction action = {.sa_sigaction = amx_on_signal, .sa_flags = SA_SIGINFO};
    unsigned a, b, c, d;

    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 24 & 1)) return false; /* AMX-TILE */
    return !sigaction(SIGILL, &action, NULL);
}

#endif
