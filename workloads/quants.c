/* workloads/quants.c - the table of formats, and rows of them to and from real numbers. */
#include "workloads/quants.h"
#include "workloads/quants_trits.h"

#include <assert.h>
#include <math.h>
#include <string.h>
#include <strings.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "GGUF rows are read in place");

/* clang-format off */
static const lpu_quant_info formats[] = {
    /* type            name  block: elems bytes tail encode trits */
    {LPU_QUANT_F32,   "F32",        1,    4,    0, true,  true},
    {LPU_QUANT_F16,   "F16",        1,    2,    0, true,  true},
    {LPU_QUANT_Q4_0,  "Q4_0",      32,   18,    0, true,  false},
    {LPU_QUANT_Q8_0,  "Q8_0",      32,   34,    0, true,  false},
    {LPU_QUANT_Q4_K,  "Q4_K",     256,  144,    0, false, false},
    {LPU_QUANT_Q6_K,  "Q6_K",     256,  210,    0, false, false},
    {LPU_QUANT_I8,    "I8",         1,    1,    0, false, false},
    {LPU_QUANT_BF16,  "BF16",       1,    2,    0, true,  true},
    {LPU_QUANT_TQ1_0, "TQ1_0",    256,   54,    0, true,  true},
    {LPU_QUANT_TQ2_0, "TQ2_0",    256,   66,    0, true,  true},
    {LPU_QUANT_I2_S,  "I2_S",     128,   32,   32, true,  true},
    {LPU_QUANT_Q1_0,  "Q1_0",     128,   18,    0, true,  true},
};
/* clang-format on */

enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

const lpu_quant_info *lpu_quants_find(uint32_t type)
{
    for (size_t i = 0; i < FORMATS; i++) {
        if ((uint32_t)formats[i].type == type) return &formats[i];
    }
    return NULL;
}

const lpu_quant_info *lpu_quants_named(const char *name)
{
    for (size_t i = 0; i < FORMATS; i++) {
        if (!strcasecmp(formats[i].name, name)) return &formats[i];
    }
    return NULL;
}

size_t lpu_quants_row_bytes(lpu_quant type, size_t elems)
{
    const lpu_quant_info *info = lpu_quants_find((uint32_t)type);
    assert(info && elems % info->block_elems == 0);
    return elems / info->block_elems * info->block_bytes;
}

static float float_from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static uint32_t bits_from_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static uint16_t load16(const uint8_t *src)
{
    uint16_t value;
    memcpy(&value, src, sizeof(value));
    return value;
}

static float load_f16(const uint8_t *src)
{
    return lpu_quants_f16_to_f32(load16(src));
}

static void store_f16(uint8_t *dst, float value)
{
    const uint16_t half = lpu_quants_f32_to_f16(value);
    memcpy(dst, &half, sizeof(half));
}

float lpu_quants_f16_to_f32(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7fff;
    if (magnitude < 0x0400) { /* zero and subnormals: a multiple of 2^-24 */
        return float_from_bits(sign | bits_from_float((float)magnitude * 0x1p-24f));
    }
    if (magnitude >= 0x7c00) return float_from_bits(sign | 0x7f800000 | (magnitude & 0x3ff) << 13);
    return float_from_bits(sign | ((magnitude << 13) + ((127u - 15u) << 23)));
}

uint16_t lpu_quants_f32_to_f16(float value)
{
    const uint32_t bits = bits_from_float(value), sign = bits >> 16 & 0x8000;
    uint32_t magnitude = bits & 0x7fffffff;

    if (magnitude > 0x7f800000) return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x1ff));
    if (magnitude >= 0x477ff000) return (uint16_t)(sign | 0x7c00); /* 65520 rounds to infinity */
    if (magnitude < 0x38800000) { /* below 2^-14; the last bit of 0.5f is 2^-24, so + rounds */
        magnitude = bits_from_float(float_from_bits(magnitude) + 0.5f) - 0x3f000000;
        return (uint16_t)(sign | magnitude);
    }
    magnitude += 0xfff + (magnitude >> 13 & 1);
    return (uint16_t)(sign | ((magnitude >> 13) - ((127u - 15u) << 10)));
}

float lpu_quants_bf16_to_f32(uint16_t brain)
{
    return float_from_bits((uint32_t)brain << 16);
}

uint16_t lpu_quants_f32_to_bf16(float value)
{
    const uint32_t bits = bits_from_float(value);
    if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static void q4_0_decode(float *dst, const uint8_t *src)
{
    const float d = load_f16(src);
    for (size_t j = 0; j < 16; j++) {
        dst[j] = (float)((src[2 + j] & 15) - 8) * d;
        dst[j + 16] = (float)((src[2 + j] >> 4) - 8) * d;
    }
}

static void q8_0_decode(float *dst, const uint8_t *src)
{
    const float d = load_f16(src);
    for (size_t j = 0; j < 32; j++) dst[j] = (float)(int8_t)src[2 + j] * d;
}

/* Sub-block j of 32 weights has a 6-bit scale and a 6-bit minimum in 12 shared bytes: j < 4 in the
 * low 6 bits of bytes j and j+4; j >= 4 in a nibble of byte j+4 and the top bits of j-4 and j. */
static void q4_k_decode(float *dst, const uint8_t *src)
{
    const float d = load_f16(src), d_min = load_f16(src + 2);
    const uint8_t *s = src + 4, *q = src + 16;

    for (size_t j = 0; j < 8; j++) {
        int scale, minimum;
        if (j < 4) {
            scale = s[j] & 63;
            minimum = s[j + 4] & 63;
        } else {
            scale = (s[j + 4] & 15) | (s[j - 4] >> 6) << 4;
            minimum = (s[j + 4] >> 4) | (s[j] >> 6) << 4;
        }
        for (size_t i = 0; i < 32; i++) {
            const int code = q[j / 2 * 32 + i] >> (4 * (j % 2)) & 15;
            dst[32 * j + i] = d * (float)scale * (float)code - d_min * (float)minimum;
        }
    }
}

/* 128 bytes of low nibbles, 64 of high bit pairs, 16 int8 scales of 16 weights each, then d. */
static void q6_k_decode(float *dst, const uint8_t *src)
{
    const uint8_t *low = src, *high = src + 128, *scales = src + 192;
    const float d = load_f16(src + 208);

    for (size_t e = 0; e < 256; e++) {
        const size_t half = e / 128, quarter = e / 32 % 4, i = e % 32;
        const int nibble = low[half * 64 + quarter % 2 * 32 + i] >> (4 * (quarter / 2)) & 15;
        const int pair = high[half * 32 + i] >> (2 * quarter) & 3;
        const int scale = (int8_t)scales[half * 8 + quarter * 2 + i / 16];
        dst[e] = d * (float)scale * (float)((nibble | pair << 4) - 32);
    }
}

void lpu_quants_decode(lpu_quant type, float *dst, const void *src, size_t elems, float scale)
{
    const lpu_quant_info *info = lpu_quants_find((uint32_t)type);
    const uint8_t *s = src;

    assert(info && elems % info->block_elems == 0);
    if (type == LPU_QUANT_F32) {
        memcpy(dst, src, elems * sizeof(float));
        return;
    }
    if (type == LPU_QUANT_F16) {
        for (size_t i = 0; i < elems; i++) dst[i] = load_f16(s + 2 * i);
        return;
    }
    if (type == LPU_QUANT_BF16) {
        for (size_t i = 0; i < elems; i++) dst[i] = lpu_quants_bf16_to_f32(load16(s + 2 * i));
        return;
    }
    if (type == LPU_QUANT_I8) {
        for (size_t i = 0; i < elems; i++) dst[i] = (float)(int8_t)s[i];
        return;
    }
    for (size_t i = 0; i < elems; i += info->block_elems, s += info->block_bytes) {
        switch (type) {
        case LPU_QUANT_Q4_0: q4_0_decode(dst + i, s); break;
        case LPU_QUANT_Q8_0: q8_0_decode(dst + i, s); break;
        case LPU_QUANT_Q4_K: q4_k_decode(dst + i, s); break;
        case LPU_QUANT_Q6_K: q6_k_decode(dst + i, s); break;
        default: lpu_quants_trits_decode(type, dst + i, s, scale);
        }
    }
}

/* The extreme of largest magnitude becomes code 0: -8 d is the widest value of the format. */
static void q4_0_encode(uint8_t *dst, const float *src)
{
    float extreme = 0;
    for (size_t j = 0; j < 32; j++) {
        if (fabsf(src[j]) > fabsf(extreme)) extreme = src[j];
    }
    const float d = extreme / -8, inverse = d != 0 ? 1 / d : 0;
    store_f16(dst, d);
    for (size_t j = 0; j < 16; j++) {
        const float low = src[j] * inverse + 8.5f, high = src[j + 16] * inverse + 8.5f;
        dst[2 + j] = (uint8_t)((int)fminf(low, 15) | (int)fminf(high, 15) << 4);
    }
}

static void q8_0_encode(uint8_t *dst, const float *src)
{
    float extreme = 0;
    for (size_t j = 0; j < 32; j++) extreme = fmaxf(extreme, fabsf(src[j]));

    const float d = extreme / 127, inverse = d > 0 ? 1 / d : 0;
    store_f16(dst, d);
    for (size_t j = 0; j < 32; j++) dst[2 + j] = (uint8_t)(int8_t)lroundf(src[j] * inverse);
}

/* Digits are the weights over the block's magnitude: the largest, for Q1_0 the mean. */
static void ternary_encode(lpu_quant type, uint8_t *dst, const float *src, size_t elems)
{
    int8_t trits[LPU_QUANT_BLOCK_ELEMS];
    float extreme = 0, sum = 0;

    for (size_t i = 0; i < elems; i++) {
        extreme = fmaxf(extreme, fabsf(src[i]));
        sum += fabsf(src[i]);
    }
    for (size_t i = 0; i < elems; i++) {
        const int sign = (src[i] > 0) - (src[i] < 0);
        if (type == LPU_QUANT_Q1_0) trits[i] = src[i] < 0 ? -1 : 1;
        else if (type == LPU_QUANT_I2_S) trits[i] = (int8_t)sign;
        else trits[i] = (int8_t)(2 * fabsf(src[i]) >= extreme ? sign : 0);
    }
    lpu_quants_write_trits(type, dst, trits, elems,
                           type == LPU_QUANT_Q1_0 ? sum / (float)elems : extreme);
}

void lpu_quants_encode(lpu_quant type, void *dst, const float *src, size_t elems)
{
    const lpu_quant_info *info = lpu_quants_find((uint32_t)type);
    uint8_t *d = dst;

    assert(info && info->can_encode && elems % info->block_elems == 0);
    if (type == LPU_QUANT_F32) {
        memcpy(dst, src, elems * sizeof(float));
        return;
    }
    for (size_t i = 0; i < elems; i += info->block_elems, d += info->block_bytes) {
        switch (type) {
        case LPU_QUANT_F16: store_f16(d, src[i]); break;
        case LPU_QUANT_BF16: {
            const uint16_t brain = lpu_quants_f32_to_bf16(src[i]);
            memcpy(d, &brain, sizeof(brain));
            break;
        }
        case LPU_QUANT_Q4_0: q4_0_encode(d, src + i); break;
        case LPU_QUANT_Q8_0: q8_0_encode(d, src + i); break;
        default: ternary_encode(type, d, src + i, info->block_elems);
        }
    }
}
