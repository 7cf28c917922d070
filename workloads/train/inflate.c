/* workloads/train/inflate.c - canonical Huffman codes, read bit by bit. */
#include "workloads/train/inflate.h"

#include <string.h>

enum { BITS_MAX = 15, LITERALS = 288, DISTANCES = 30 };

typedef struct stream {
    const uint8_t *in;
    size_t in_bytes, at;
    uint32_t bits, bit_count; /* read but not used; the first is the lowest */
    uint8_t *out;
    size_t out_bytes, made;
    bool is_bad;
} stream;

/* times[n] codes of n bits; symbols in the order of their codes. */
typedef struct huffman {
    uint16_t times[BITS_MAX + 1], symbols[LITERALS];
} huffman;

static uint32_t get_bits(stream *s, uint32_t count)
{
    while (s->bit_count < count) {
        if (s->at == s->in_bytes) {
            s->is_bad = true;
            return 0;
        }
        s->bits |= (uint32_t)s->in[s->at++] << s->bit_count;
        s->bit_count += 8;
    }
    const uint32_t value = s->bits & ((1u << count) - 1);
    s->bits >>= count;
    s->bit_count -= count;
    return value;
}

/* false where the lengths ask for more codes than there are. */
static bool make_codes(huffman *h, const uint8_t *lengths, size_t count)
{
    uint16_t first[BITS_MAX + 2] = {0};
    int left = 1;

    memset(h, 0, sizeof(*h));
    for (size_t i = 0; i < count; i++) h->times[lengths[i]]++;
    h->times[0] = 0;
    for (size_t n = 1; n <= BITS_MAX; n++) {
        left = left * 2 - h->times[n];
        if (left < 0) return false;
        first[n + 1] = (uint16_t)(first[n] + h->times[n]);
    }
    for (size_t i = 0; i < count; i++) {
        if (lengths[i]) h->symbols[first[lengths[i]]++] = (uint16_t)i;
    }
    return true;
}

/* Codes of one length are consecutive, and begin after twice the last of the length before. */
static uint32_t get_symbol(stream *s, const huffman *h)
{
    uint32_t code = 0, first = 0, index = 0;

    for (size_t n = 1; n <= BITS_MAX && !s->is_bad; n++) {
        code |= get_bits(s, 1);
        if (code - first < h->times[n]) return h->symbols[index + code - first];
        index += h->times[n];
        first = (first + h->times[n]) << 1;
        code <<= 1;
    }
    s->is_bad = true;
    return 0;
}

static void put(stream *s, uint8_t byte)
{
    if (s->made == s->out_bytes) s->is_bad = true;
    else s->out[s->made++] = byte;
}

/* RFC 1951, section 3.2.5. */
static void copy_match(stream *s, uint32_t symbol, const huffman *distances)
{
    static const uint16_t length_base[] = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                           15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                           67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const uint16_t far_base[DISTANCES] = {
        1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
        193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
    const uint32_t i = symbol - 257;

    if (i >= sizeof(length_base) / sizeof(length_base[0])) {
        s->is_bad = true;
        return;
    }
    const uint32_t more = i < 8 || i == 28 ? 0 : i / 4 - 1;
    const size_t length = length_base[i] + get_bits(s, more);
    const uint32_t d = get_symbol(s, distances);
    if (d >= DISTANCES) {
        s->is_bad = true;
        return;
    }
    const size_t back = far_base[d] + get_bits(s, d < 2 ? 0 : d / 2 - 1);
    if (back > s->made) s->is_bad = true;
    for (size_t k = 0; k < length && !s->is_bad; k++) put(s, s->out[s->made - back]);
}

static void run_codes(stream *s, const huffman *literals, const huffman *distances)
{
    while (!s->is_bad) {
        const uint32_t symbol = get_symbol(s, literals);
        if (s->is_bad || symbol == 256) return;
        if (symbol < 256) put(s, (uint8_t)symbol);
        else copy_match(s, symbol, distances);
    }
}

static void run_stored(stream *s)
{
    s->bits = s->bit_count = 0;
    const uint32_t length = get_bits(s, 16), inverse = get_bits(s, 16);

    if ((length ^ inverse) != 0xffff) s->is_bad = true;
    for (uint32_t i = 0; i < length && !s->is_bad; i++) put(s, (uint8_t)get_bits(s, 8));
}

static void run_fixed(stream *s)
{
    uint8_t lengths[LITERALS];
    huffman literals, distances;

    for (size_t i = 0; i < LITERALS; i++) {
        lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    }
    make_codes(&literals, lengths, LITERALS);
    memset(lengths, 5, DISTANCES);
    make_codes(&distances, lengths, DISTANCES);
    run_codes(s, &literals, &distances);
}

static void run_dynamic(stream *s)
{
    static const uint8_t order[] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                    11, 4,  12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[LITERALS + 32] = {0}, code_lengths[19] = {0};
    huffman literals, distances;
    const size_t n = get_bits(s, 5) + 257, far = get_bits(s, 5) + 1, codes = get_bits(s, 4) + 4;
    size_t i = 0;

    for (size_t k = 0; k < codes; k++) code_lengths[order[k]] = (uint8_t)get_bits(s, 3);
    if (n > LITERALS || !make_codes(&literals, code_lengths, 19)) s->is_bad = true;
    while (i < n + far && !s->is_bad) {
        const uint32_t symbol = get_symbol(s, &literals);
        if (symbol < 16) {
            lengths[i++] = (uint8_t)symbol;
            continue;
        }
        const uint8_t last = symbol == 16 && i ? lengths[i - 1] : 0;
        size_t times = symbol == 16   ? 3 + get_bits(s, 2)
                       : symbol == 17 ? 3 + get_bits(s, 3)
                                      : 11 + get_bits(s, 7);
        if (i + times > n + far || (symbol == 16 && !i)) s->is_bad = true;
        for (; times && !s->is_bad; times--) lengths[i++] = last;
    }
    if (s->is_bad || !make_codes(&literals, lengths, n) ||
        !make_codes(&distances, lengths + n, far)) {
        s->is_bad = true;
        return;
    }
    run_codes(s, &literals, &distances);
}

static uint32_t adler32(const uint8_t *at, size_t bytes)
{
    uint32_t a = 1, b = 0;
    for (size_t i = 0; i < bytes; i++) {
        a = (a + at[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

bool lpu_inflate_run(uint8_t *out, size_t out_bytes, const uint8_t *in, size_t in_bytes,
                     size_t *used)
{
    stream s = {.in = in, .in_bytes = in_bytes, .at = 2, .out = out, .out_bytes = out_bytes};
    uint32_t is_last = 0, sum = 0;

    /* Method 8, no preset dictionary, and a header that is a multiple of 31 (RFC 1950, 2.2). */
    if (in_bytes < 6 || (in[0] & 15) != 8 || in[1] & 32 || (in[0] * 256 + in[1]) % 31) return false;
    while (!is_last && !s.is_bad) {
        is_last = get_bits(&s, 1);
        switch (get_bits(&s, 2)) {
        case 0: run_stored(&s); break;
        case 1: run_fixed(&s); break;
        case 2: run_dynamic(&s); break;
        default: s.is_bad = true;
        }
    }
    s.bits = s.bit_count = 0;
    for (int i = 0; i < 4; i++) sum = sum << 8 | get_bits(&s, 8);
    *used = s.at;
    return !s.is_bad && s.made == out_bytes && sum == adler32(out, out_bytes);
}
