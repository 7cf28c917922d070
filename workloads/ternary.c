/* workloads/ternary.c - packs and unpacks trits; see the layouts in ternary.h. */
#include "workloads/ternary.h"

#include <assert.h>
#include <string.h>

enum { BASE3_CODES = 243 }; /* 3^5 */

size_t lpu_ternary_per_byte(lpu_code code)
{
    switch (code) {
    case LPU_CODE_BASE3: return 5;
    case LPU_CODE_T2: return 4;
    case LPU_CODE_B1: return 8;
    }
    assert(!"a code of lpu_code");
    return 1;
}

size_t lpu_ternary_bytes(lpu_code code, size_t elems)
{
    const size_t per_byte = lpu_ternary_per_byte(code);
    return elems / per_byte + (elems % per_byte != 0);
}

/* One byte from n <= 5 trits; the missing ones are zero. Horner, last digit first. */
static uint8_t pack_base3(const int8_t *trits, size_t n)
{
    unsigned value = 0;
    for (size_t i = 5; i-- > 0;) value = 3 * value + (unsigned)((i < n ? trits[i] : 0) + 1);
    return (uint8_t)value;
}

/* 0 -> 00, +1 -> 01, -1 -> 11: the two low bits of the trit itself. */
static uint8_t pack_t2(const int8_t *trits, size_t n)
{
    unsigned value = 0;
    for (size_t i = 0; i < n; i++) value |= ((unsigned)trits[i] & 3u) << (2 * i);
    return (uint8_t)value;
}

static uint8_t pack_b1(const int8_t *trits, size_t n)
{
    unsigned value = 0;
    for (size_t i = 0; i < n; i++) value |= (unsigned)(trits[i] > 0) << i;
    return (uint8_t)value;
}

void lpu_ternary_encode(lpu_code code, uint8_t *dst, const int8_t *trits, size_t elems)
{
    const size_t per_byte = lpu_ternary_per_byte(code);

    for (size_t i = 0; i < elems; i += per_byte, dst++) {
        const size_t n = elems - i < per_byte ? elems - i : per_byte;
        switch (code) {
        case LPU_CODE_BASE3: *dst = pack_base3(trits + i, n); break;
        case LPU_CODE_T2: *dst = pack_t2(trits + i, n); break;
        case LPU_CODE_B1: *dst = pack_b1(trits + i, n); break;
        }
    }
}

static lpu_status unpack_base3(int8_t *trits, size_t n, unsigned byte, size_t offset,
                               lpu_diag *diag)
{
    if (byte >= BASE3_CODES) {
        return lpu_fail(diag, LPU_ERR_FORMAT,
                        "packed trits: found byte %u at offset %zu, expected 0 to 242", byte,
                        offset);
    }
    for (size_t i = 0; i < n; i++, byte /= 3) trits[i] = (int8_t)((int)(byte % 3) - 1);
    return LPU_OK;
}

static lpu_status unpack_t2(int8_t *trits, size_t n, unsigned byte, size_t offset, lpu_diag *diag)
{
    /* A pair is 10 where its high bit is set and its low bit is not. */
    if ((byte >> 1) & ~byte & 0x55u) {
        return lpu_fail(diag, LPU_ERR_FORMAT,
                        "packed trits: found byte 0x%02x at offset %zu, expected no pair 10 in it",
                        byte, offset);
    }
    for (size_t i = 0; i < n; i++, byte >>= 2) {
        trits[i] = (int8_t)((int)(byte & 1) - (int)(byte & 2));
    }
    return LPU_OK;
}

lpu_status lpu_ternary_decode(lpu_code code, int8_t *trits, const uint8_t *src, size_t elems,
                              lpu_diag *diag)
{
    const size_t per_byte = lpu_ternary_per_byte(code);

    for (size_t i = 0, at = 0; i < elems; i += per_byte, at++) {
        const size_t n = elems - i < per_byte ? elems - i : per_byte;
        lpu_status status = LPU_OK;
        switch (code) {
        case LPU_CODE_BASE3: status = unpack_base3(trits + i, n, src[at], at, diag); break;
        case LPU_CODE_T2: status = unpack_t2(trits + i, n, src[at], at, diag); break;
        case LPU_CODE_B1:
            for (size_t j = 0; j < n; j++) trits[i + j] = (src[at] >> j) & 1 ? 1 : -1;
            break;
        }
        if (status) return status;
    }
    return LPU_OK;
}

int32_t lpu_ternary_limit(uint32_t trits)
{
    assert(trits >= 1 && trits <= LPU_TRITS_MAX);
    int32_t limit = 0;
    for (uint32_t i = 0; i < trits; i++) limit = 3 * limit + 1;
    return limit;
}

void lpu_ternary_split(int8_t *digits, uint32_t trits, int32_t value)
{
    /* value + limit is the same number with digits 0..2 in place of -1..+1. */
    int32_t rest = value + lpu_ternary_limit(trits);
    assert(rest >= 0 && rest <= 2 * lpu_ternary_limit(trits));

    for (uint32_t i = trits; i-- > 0; rest /= 3) digits[i] = (int8_t)(rest % 3 - 1);
}

int32_t lpu_ternary_join(const int8_t *digits, uint32_t trits)
{
    int32_t value = 0;
    for (uint32_t i = 0; i < trits; i++) value = 3 * value + digits[i];
    return value;
}
