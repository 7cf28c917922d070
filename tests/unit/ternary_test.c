/* tests/unit/ternary_test.c - every byte, every length and every integer of the packed layouts. */
#include "tests/unit/test.h"
#include "workloads/ternary.h"

#include <stdbool.h>
#include <stdlib.h>

static const lpu_code codes[] = {LPU_CODE_BASE3, LPU_CODE_T2, LPU_CODE_B1};
static const size_t per_bytes[] = {5, 4, 8};

enum { CODES = 3, LENGTH_MAX = 40 };

/* The digit of a byte by the definition in ternary.h, with no code shared with the library. */
static int digit_of(lpu_code code, unsigned byte, unsigned i)
{
    static const unsigned powers[] = {1, 3, 9, 27, 81};
    switch (code) {
    case LPU_CODE_BASE3: return (int)(byte / powers[i] % 3) - 1;
    case LPU_CODE_T2: return (byte >> (2 * i) & 3) == 1 ? 1 : (byte >> (2 * i) & 3) == 3 ? -1 : 0;
    case LPU_CODE_B1: return (byte >> i & 1) ? 1 : -1;
    }
    return 0;
}

static bool is_legal(lpu_code code, unsigned byte)
{
    if (code == LPU_CODE_BASE3) return byte < 243;
    for (unsigned i = 0; code == LPU_CODE_T2 && i < 4; i++) {
        if ((byte >> (2 * i) & 3) == 2) return false;
    }
    return true;
}

static void every_byte_is_what_the_layout_says(void)
{
    unsigned legal[CODES] = {0};

    for (size_t c = 0; c < CODES; c++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            const uint8_t packed = (uint8_t)byte;
            int8_t trits[8] = {0};
            uint8_t again = 0;
            lpu_diag diag = {""};
            lpu_status status = lpu_ternary_decode(codes[c], trits, &packed, per_bytes[c], &diag);
            if (!is_legal(codes[c], byte)) {
                CHECK_EQ(status, LPU_ERR_FORMAT);
                CHECK(strstr(diag.text, "offset 0"), "no offset in: %s", diag.text);
                continue;
            }
            legal[c]++;
            CHECK_EQ(status, LPU_OK);
            for (unsigned i = 0; i < per_bytes[c]; i++) {
                CHECK_EQ(trits[i], digit_of(codes[c], byte, i));
            }
            lpu_ternary_encode(codes[c], &again, trits, per_bytes[c]);
            CHECK_EQ(again, byte);
        }
    }
    CHECK_EQ(legal[0], 243); /* 3^5: 13 are refused */
    CHECK_EQ(legal[1], 81);  /* 3^4 */
    CHECK_EQ(legal[2], 256);
}

/* A row of digits that visits every value at every place. */
static int8_t pattern(lpu_code code, size_t i, unsigned seed)
{
    const unsigned mixed = (unsigned)(i * 2654435761u + seed * 40503u) >> 7;
    return code == LPU_CODE_B1 ? (mixed & 1 ? 1 : -1) : (int8_t)((int)(mixed % 3) - 1);
}

static void rows_of_every_length_round_trip(void)
{
    for (size_t c = 0; c < CODES; c++) {
        for (size_t length = 0; length <= LENGTH_MAX; length++) {
            const size_t bytes = (length + per_bytes[c] - 1) / per_bytes[c];
            CHECK_EQ(lpu_ternary_per_byte(codes[c]), per_bytes[c]);
            CHECK_EQ(lpu_ternary_bytes(codes[c], length), bytes);

            for (unsigned seed = 0; seed < 50; seed++) {
                /* Exact allocations: a sanitizer sees one byte or trit too many. */
                int8_t *in = malloc(length + 1);
                int8_t *out = malloc(length + 1);
                uint8_t *row = malloc(bytes + 1);
                for (size_t i = 0; i < length; i++) in[i] = pattern(codes[c], i, seed);
                out[length] = 99;
                row[bytes] = 0xa5;

                lpu_ternary_encode(codes[c], row, in, length);
                const lpu_status status = lpu_ternary_decode(codes[c], out, row, length, NULL);
                const bool is_same = !memcmp(in, out, length) && out[length] == 99 &&
                                     row[bytes] == 0xa5 && status == LPU_OK;
                /* What fills a short last byte: zero trits, or zero bits. */
                bool is_filled = true;
                for (size_t i = length % per_bytes[c]; i && i < per_bytes[c]; i++) {
                    const int filler = codes[c] == LPU_CODE_B1 ? -1 : 0;
                    is_filled &= digit_of(codes[c], row[bytes - 1], (unsigned)i) == filler;
                }
                free(in);
                free(out);
                free(row);
                CHECK(is_same, "code %zu length %zu: not the same", c, length);
                CHECK(is_filled, "code %zu length %zu: filler is not zero", c, length);
            }
        }
    }
}

static void an_illegal_byte_is_named_by_offset(void)
{
    uint8_t row[9];
    int8_t trits[45];
    lpu_diag diag = {""};

    memset(row, 121, sizeof(row)); /* five zeros */
    row[6] = 250;
    CHECK_EQ(lpu_ternary_decode(LPU_CODE_BASE3, trits, row, 45, &diag), LPU_ERR_FORMAT);
    CHECK(strstr(diag.text, "250") && strstr(diag.text, "offset 6"), "found: %s", diag.text);
    CHECK_EQ(lpu_ternary_decode(LPU_CODE_BASE3, trits, row, 30, NULL), LPU_OK); /* not reached */
    CHECK_EQ(lpu_ternary_decode(LPU_CODE_BASE3, trits, row, 31, NULL), LPU_ERR_FORMAT);

    memset(row, 0, sizeof(row));
    row[2] = 0x80;
    CHECK_EQ(lpu_ternary_decode(LPU_CODE_T2, trits, row, 12, &diag), LPU_ERR_FORMAT);
    CHECK(strstr(diag.text, "0x80") && strstr(diag.text, "offset 2"), "found: %s", diag.text);
}

static void binary_zeros_are_stored_as_minus(void)
{
    const int8_t in[3] = {0, 1, 0};
    int8_t out[3];
    uint8_t byte = 0;

    lpu_ternary_encode(LPU_CODE_B1, &byte, in, 3);
    CHECK_EQ(lpu_ternary_decode(LPU_CODE_B1, out, &byte, 3, NULL), LPU_OK);
    CHECK(out[0] == -1 && out[1] == 1 && out[2] == -1, "found %d %d %d", out[0], out[1], out[2]);
}

static void every_integer_splits_and_joins(void)
{
    static const int32_t limits[] = {1, 4, 13, 40, 121};
    static const int32_t powers[] = {1, 3, 9, 27, 81};

    for (uint32_t trits = 1; trits <= LPU_TRITS_MAX; trits++) {
        CHECK_EQ(lpu_ternary_limit(trits), limits[trits - 1]);
        for (int32_t value = -limits[trits - 1]; value <= limits[trits - 1]; value++) {
            int8_t digits[LPU_TRITS_MAX] = {9, 9, 9, 9, 9};
            int32_t sum = 0;
            lpu_ternary_split(digits, trits, value);
            for (uint32_t i = 0; i < trits; i++) {
                CHECK(digits[i] >= -1 && digits[i] <= 1, "digit %d", digits[i]);
                sum += digits[i] * powers[trits - 1 - i];
            }
            CHECK_EQ(sum, value);
            CHECK_EQ(lpu_ternary_join(digits, trits), value);
            for (uint32_t i = trits; i < LPU_TRITS_MAX; i++) CHECK_EQ(digits[i], 9);
        }
    }
}

int main(void)
{
    RUN(every_byte_is_what_the_layout_says);
    RUN(rows_of_every_length_round_trip);
    RUN(an_illegal_byte_is_named_by_offset);
    RUN(binary_zeros_are_stored_as_minus);
    RUN(every_integer_splits_and_joins);
    return test_failures != 0;
}
