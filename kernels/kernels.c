/* kernels/kernels.c - chooses the kernels, once, before any work. */
#include "kernels/kernels.h"

void lpu_kernels_init(lpu_kernels *k, uint32_t allowed)
{
    const uint32_t cpu = lpu_cpu_flags() & allowed;

#define LPU_KERNEL(op, isa, needs, rows, k_step)                                                   \
    if ((cpu & (needs)) == (needs)) k->op = lpu_##op##_##isa;
#include "kernels/kernels.def"
#undef LPU_KERNEL
}

const char *lpu_kernels_isa(uint32_t allowed)
{
    const uint32_t cpu = lpu_cpu_flags() & allowed;

    if (cpu & LPU_CPU_AMX) return "amx";
    if (cpu & LPU_CPU_AVX512VNNI) return "avx512vnni";
    if (cpu & LPU_CPU_AVX2) return "avx2";
    if (cpu & LPU_CPU_I8MM) return "i8mm";
    if (cpu & LPU_CPU_SVE) return "sve";
    return cpu & LPU_CPU_DOTPROD ? "dotprod" : "c";
}
