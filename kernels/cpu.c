/* kernels/cpu.c - asks the CPU and the environment which kernels may run. */
#include "kernels/cpu.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#if LPU_ARCH_X86
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#if LPU_ARCH_ARM64
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

static const struct {
    const char *name;
    uint32_t flag;
} names[] = {{"c", 0},
             {"avx2", LPU_CPU_AVX2},
             {"avx512vnni", LPU_CPU_AVX512VNNI},
             {"avx512bf16", LPU_CPU_AVX512BF16},
             {"avx512fp16", LPU_CPU_AVX512FP16},
             {"amx", LPU_CPU_AMX},
             {"neon", LPU_CPU_NEON},
             {"dotprod", LPU_CPU_DOTPROD},
             {"i8mm", LPU_CPU_I8MM},
             {"sve", LPU_CPU_SVE}};

enum { NAMES = sizeof(names) / sizeof(names[0]) };

#if LPU_ARCH_X86
/* CPUID leaf 7, EDX bit 23 (Intel SDM, volume 2A, table 3-8): gcc 12 has no name for it. The system
 * keeps the registers if it does for the rest of AVX-512. */
static bool has_fp16(void)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 23 & 1);
}

/* Leaf 7, EDX: bit 22 is AMX-BF16, 24 AMX-TILE, 25 AMX-INT8. The registers of tiles are 8 KB, which
 * Linux keeps only for a process that has asked for them (Documentation/arch/x86/xstate.rst). */
static bool has_amx(void)
{
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    const unsigned all = 1u << 22 | 1u << 24 | 1u << 25;
    unsigned a, b, c, d;

    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & all) == all &&
           !syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA);
}
#endif

uint32_t lpu_cpu_flags(void)
{
    uint32_t flags = 0;
#if LPU_ARCH_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("f16c")) {
        flags |= LPU_CPU_AVX2;
    }
    if (flags && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni") &&
        __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("bmi2")) {
        flags |= LPU_CPU_AVX512VNNI;
    }
    if (flags & LPU_CPU_AVX512VNNI && __builtin_cpu_supports("avx512bf16")) {
        flags |= LPU_CPU_AVX512BF16;
    }
    if (flags & LPU_CPU_AVX512VNNI && has_fp16()) flags |= LPU_CPU_AVX512FP16;
    if (flags & LPU_CPU_AVX512VNNI && has_amx()) flags |= LPU_CPU_AMX;
#endif
#if LPU_ARCH_ARM64
    flags |= LPU_CPU_NEON;
    if (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) flags |= LPU_CPU_DOTPROD;
    if (flags & LPU_CPU_DOTPROD && getauxval(AT_HWCAP2) & HWCAP2_I8MM) flags |= LPU_CPU_I8MM;
    if (flags & LPU_CPU_DOTPROD && getauxval(AT_HWCAP) & HWCAP_SVE) flags |= LPU_CPU_SVE;
#endif
    return flags;
}

lpu_status lpu_cpu_parse(uint32_t *allowed, const char *list, lpu_diag *diag)
{
    *allowed = list ? 0 : LPU_CPU_ALL;
    while (list) {
        const size_t length = strcspn(list, ",");
        size_t i = 0;
        while (i < NAMES &&
               (strlen(names[i].name) != length || memcmp(names[i].name, list, length))) {
            i++;
        }
        if (i == NAMES) {
            return lpu_fail(
                diag, LPU_ERR_FORMAT,
                "LPU_CPU: found \"%.*s\", expected c, avx2, avx512vnni, avx512bf16, avx512fp16, "
                "amx, neon, dotprod, i8mm or sve",
                (int)(length < 64 ? length : 64), list);
        }
        *allowed |= names[i].flag;
        list = list[length] ? list + length + 1 : NULL;
    }
    return LPU_OK;
}

lpu_status lpu_cpu_allowed(uint32_t *allowed, lpu_diag *diag)
{
    return lpu_cpu_parse(allowed, getenv("LPU_CPU"), diag);
}
