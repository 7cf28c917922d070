/* workloads/quants.h - the tensor formats of GGUF files: block layouts, to and from real numbers.
 *
 * A row is a whole number of blocks. All numbers are little endian. The ternary formats can also be
 * read and written as digits and one scale, without a detour through rounding.
 *
 *   I8     plain int8; bytes of any meaning in packed files (kernels/packed.h)
 *   Q4_0   32 weights:  f16 d, 16 bytes (j low nibble, j+16 high): (q - 8) d
 *   Q8_0   32 weights:  f16 d, 32 int8: q d
 *   Q1_0  128 weights:  f16 d, 16 bytes, weight j in bit j%8 of byte j/8: 1 is +d, 0 is -d
 *   TQ2_0 256 weights:  64 bytes, f16 d; byte 32h+m holds weights 128h+m+32n in bits 2n+1..2n: (q -
 * 1) d TQ1_0 256 weights:  48 bytes of 5 digits, 4 bytes of 4 digits, f16 d. A byte is a fraction
 * of 256: its digits are those before the point when it is tripled again and again. I2_S  128
 * weights:  32 bytes; byte m holds weights m, +32, +64, +96 in bits 6, 4, 2, 0: q - 1. One f32
 * scale for the tensor follows its last block, filled to 32 bytes. Q4_K, Q6_K          256 weights
 * with scales of 16 or 32 weights; read only, for embeddings.
 */
#ifndef LPU_WORKLOADS_QUANTS_H
#define LPU_WORKLOADS_QUANTS_H

#include "workloads/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers as in the file: ggml.h of llama.cpp (enum ggml_type); 36 is I2_S in bitnet.cpp only. */
typedef enum lpu_quant {
    LPU_QUANT_F32 = 0,
    LPU_QUANT_F16 = 1,
    LPU_QUANT_Q4_0 = 2,
    LPU_QUANT_Q8_0 = 8,
    LPU_QUANT_Q4_K = 12,
    LPU_QUANT_Q6_K = 14,
    LPU_QUANT_I8 = 24,
    LPU_QUANT_BF16 = 30,
    LPU_QUANT_TQ1_0 = 34,
    LPU_QUANT_TQ2_0 = 35,
    LPU_QUANT_I2_S = 36,
    LPU_QUANT_Q1_0 = 41,
} lpu_quant;

typedef struct lpu_quant_info {
    lpu_quant type;
    const char *name; /* "TQ2_0" */
    size_t block_elems, block_bytes;
    size_t tail_bytes; /* after the last block of a tensor: the scale of I2_S */
    bool can_encode;
    bool holds_trits; /* read_trits and write_trits take it */
} lpu_quant_info;

enum { LPU_QUANT_BLOCK_ELEMS = 256 }; /* no format has larger blocks */

/* The format with this number, or this name in any case; NULL if there is none. */
const lpu_quant_info *lpu_quants_find(uint32_t type);
const lpu_quant_info *lpu_quants_named(const char *name);

/* Bytes of a row of elems, a multiple of block_elems. */
size_t lpu_quants_row_bytes(lpu_quant type, size_t elems);

/* dst[0..elems) = the row's real numbers. scale is the tensor's, for I2_S; others ignore it. */
void lpu_quants_decode(lpu_quant type, float *dst, const void *src, size_t elems, float scale);

/* The inverse, rounded to nearest; can_encode only. I2_S stores signs: the scale is the caller's.
 */
void lpu_quants_encode(lpu_quant type, void *dst, const float *src, size_t elems);

/* trits[0..elems) = the row's digits, weight = digit * *scale, exact. *scale is 0 until a weight
 * that is not zero is met; after that a different magnitude is LPU_ERR_FORMAT, as are codes that
 * stand for no digit. where names the tensor in messages. For I2_S *scale is left alone. */
lpu_status lpu_quants_read_trits(lpu_quant type, int8_t *trits, float *scale, const void *src,
                                 size_t elems, const char *where, lpu_diag *diag);

/* The inverse; scale must be a half-precision number for the block formats to hold it. Q1_0 stores
 * a zero as minus: its rows have none. */
void lpu_quants_write_trits(lpu_quant type, void *dst, const int8_t *trits, size_t elems,
                            float scale);

/* IEEE half and bfloat16: to float exactly, from float to nearest, ties to even. */
float lpu_quants_f16_to_f32(uint16_t half);
uint16_t lpu_quants_f32_to_f16(float value);
float lpu_quants_bf16_to_f32(uint16_t brain);
uint16_t lpu_quants_f32_to_bf16(float value);

#endif
