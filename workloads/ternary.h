/* workloads/ternary.h - the packed layouts of ternary and binary digits; sole owner of these bits.
 *
 * A trit is -1, 0 or +1. Three codes hold a row of trits in bytes:
 *
 *   base-3   5 per byte  byte = (t0+1) + 3(t1+1) + 9(t2+1) + 27(t3+1) + 81(t4+1); 243..255 illegal
 *   2-bit    4 per byte  element i in bits 2i+1..2i: 00 zero, 01 plus, 11 minus, 10 illegal
 *   1-bit    8 per byte  element i in bit i: 1 plus, 0 minus; there is no zero
 *
 * A short last byte is filled with zero trits (base-3 and 2-bit) or zero bits (1-bit).
 *
 * A T-trit integer v, |v| <= (3^T - 1) / 2, is T trits, most significant first:
 * v = 3 (... 3 (3 t0 + t1) + t2 ...) + t[T-1].  A T-trit row is stored as T planes of trits.
 */
#ifndef LPU_WORKLOADS_TERNARY_H
#define LPU_WORKLOADS_TERNARY_H

#include "workloads/status.h"

#include <stddef.h>
#include <stdint.h>

typedef enum lpu_code {
    LPU_CODE_BASE3, /* 1.6 bits per trit */
    LPU_CODE_T2,    /* 2 bits per trit */
    LPU_CODE_B1,    /* 1 bit per sign */
} lpu_code;

enum { LPU_TRITS_MAX = 5 };

/* Elements that share one byte: 5, 4 or 8. */
size_t lpu_ternary_per_byte(lpu_code code);

/* Bytes of a row of elems digits. */
size_t lpu_ternary_bytes(lpu_code code, size_t elems);

/* Packs trits[0..elems) into dst[0..lpu_ternary_bytes). With LPU_CODE_B1 a zero trit is stored as
 * minus: callers hold binary rows only. */
void lpu_ternary_encode(lpu_code code, uint8_t *dst, const int8_t *trits, size_t elems);

/* Unpacks elems digits. LPU_ERR_FORMAT at the first illegal code: diag names the byte and its
 * offset; trits is then unspecified. */
lpu_status lpu_ternary_decode(lpu_code code, int8_t *trits, const uint8_t *src, size_t elems,
                              lpu_diag *diag);

/* (3^trits - 1) / 2: the largest magnitude of a trits-digit integer; 1, 4, 13, 40, 121. */
int32_t lpu_ternary_limit(uint32_t trits);

/* Splits value, |value| <= lpu_ternary_limit(trits), into digits[0..trits), most significant first. */
void lpu_ternary_split(int8_t *digits, uint32_t trits, int32_t value);

/* The inverse of split, by Horner's rule. */
int32_t lpu_ternary_join(const int8_t *digits, uint32_t trits);

#endif
