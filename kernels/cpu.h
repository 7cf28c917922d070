/* kernels/cpu.h - what this CPU can run, and what the user lets it run. */
#ifndef LPU_KERNELS_CPU_H
#define LPU_KERNELS_CPU_H

#include "workloads/status.h"

#include <stdint.h>

#if defined(__x86_64__)
#define LPU_ARCH_X86 1
#else
#define LPU_ARCH_X86 0
#endif

#if defined(__aarch64__)
#define LPU_ARCH_ARM64 1
#else
#define LPU_ARCH_ARM64 0
#endif

/* One bit for each suffix of a kernel's file: everything that its compiler flags may emit. */
enum {
    LPU_CPU_AVX2 = 1,       /* AVX2, FMA, F16C */
    LPU_CPU_AVX512VNNI = 2, /* AVX-512 F, BW, VL, VNNI, VBMI, with AVX2, FMA, F16C, BMI2 */
    LPU_CPU_AVX512BF16 = 4, /* BF16, with all of AVX512VNNI */
    LPU_CPU_AVX512FP16 = 8, /* FP16, with all of AVX512VNNI */
    LPU_CPU_NEON = 16,      /* every 64-bit ARM CPU */
    LPU_CPU_DOTPROD = 32,   /* dot products of int8, with NEON */
    LPU_CPU_I8MM = 64,      /* matrix products of int8, with DOTPROD */
    LPU_CPU_AMX = 128,      /* tiles of int8 and BF16, with all of AVX512VNNI */
    LPU_CPU_SVE = 256,      /* vectors of any length, with DOTPROD */
    LPU_CPU_ALL = 511,
};

/* What this CPU has, and the system lets this process use: tiles must be asked for, which the first
 * call does, for all threads. */
uint32_t lpu_cpu_flags(void);

/* What the environment allows: LPU_CPU is a list of names with commas ("c", "avx2", "avx512vnni",
 * "avx512bf16", "avx512fp16", "amx", "neon", "dotprod", "i8mm", "sve"), and without it everything
 * is allowed. "c" stands for the portable kernels, which always are. */
lpu_status lpu_cpu_allowed(uint32_t *allowed, lpu_diag *diag);

/* The same from a list; NULL is everything. */
lpu_status lpu_cpu_parse(uint32_t *allowed, const char *list, lpu_diag *diag);

#endif
