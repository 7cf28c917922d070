/* workloads/tokenizer_cut.c - where a text may be cut: the patterns of GPT-2 and of Llama 3.
 *
 *   GPT-2    's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *            (openai/gpt-2, src/encoder.py)
 *   Llama 3  (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
 *             ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 *            (meta-llama/llama3, llama/tokenizer.py)
 *
 * The first alternative that fits is taken, and takes as much as it can.
 */
#include "workloads/tokenizer_private.h"

#include <string.h>

typedef enum kind { KIND_OTHER, KIND_SPACE, KIND_LETTER, KIND_DIGIT } kind;

/* ---- contractions ---- */

static size_t contraction(const uint8_t *text, size_t bytes, bool folds_case)
{
    static const char *const tails[] = {"s", "t", "re", "ve", "m", "ll", "d"};
    const uint8_t fold = folds_case ? 0x20 : 0;

    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        const size_t n = strlen(tails[i]);
        size_t same = 0;
        while (same < n && same + 1 < bytes && (text[same + 1] | fold) == (uint8_t)tails[i][same]) {
            same++;
        }
        if (same == n) return n + 1;
    }
    return 0;
}

static kind ascii_kind(uint8_t c)
{
    if (c == ' ' || (c >= '\t' && c <= '\r')) return KIND_SPACE;
    if (c >= '0' && c <= '9') return KIND_DIGIT;
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? KIND_LETTER : KIND_OTHER;
}

/* ---- GPT-2: bytes of 128 and more count as letters ---- */

static kind byte_kind(uint8_t c)
{
    return c >= 0x80 ? KIND_LETTER : ascii_kind(c);
}

static size_t run_of(const uint8_t *text, size_t bytes, kind k)
{
    size_t n = 0;
    while (n < bytes && byte_kind(text[n]) == k) n++;
    return n;
}

static size_t cut_gpt2(const uint8_t *text, size_t bytes)
{
    if (text[0] == '\'') {
        const size_t n = contraction(text, bytes, false);
        if (n) return n;
    }
    const size_t lead = text[0] == ' ' && bytes > 1 && byte_kind(text[1]) != KIND_SPACE;
    if (lead || byte_kind(text[0]) != KIND_SPACE) {
        return lead + run_of(text + lead, bytes - lead, byte_kind(text[lead]));
    }
    const size_t spaces = run_of(text, bytes, KIND_SPACE);
    return spaces < bytes && spaces > 1 ? spaces - 1 : spaces;
}

/* ---- Llama 3: characters of UTF-8 ---- */

typedef struct range {
    uint32_t first, last;
    kind kind;
} range;

static const range ranges[] = {
#define R(first, last, name) {first, last, KIND_##name},
#include "workloads/tokenizer_unicode.def"
#undef R
};

static kind kind_of(uint32_t c)
{
    size_t low = 0, high = sizeof(ranges) / sizeof(ranges[0]);

    if (c < 0x80) return ascii_kind((uint8_t)c);
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (c > ranges[middle].last) low = middle + 1;
        else high = middle;
    }
    const bool is_in = low < sizeof(ranges) / sizeof(ranges[0]) && c >= ranges[low].first;
    return is_in ? ranges[low].kind : KIND_OTHER;
}

/* The first character and its bytes. A byte that begins none is one of its own, of no kind. */
static uint32_t first_of(const uint8_t *text, size_t bytes, size_t *n)
{
    const uint8_t c = text[0];
    const size_t length = c < 0x80                ? 1
                          : c >= 0xc2 && c < 0xe0 ? 2
                          : c >= 0xe0 && c < 0xf0 ? 3
                          : c >= 0xf0 && c < 0xf5 ? 4
                                                  : 0;
    uint32_t value = length > 1 ? c & (0x7fu >> length) : c;

    *n = 1;
    if (!length || length > bytes) return UINT32_MAX;
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) return UINT32_MAX;
        value = value << 6 | (text[i] & 0x3f);
    }
    *n = length;
    return value;
}

/* Bytes of the characters of kind k that text begins with, most of them at most. */
static size_t run_of_kind(const uint8_t *text, size_t bytes, kind k, size_t most)
{
    size_t at = 0, n;

    for (; at < bytes && most; most--, at += n) {
        if (kind_of(first_of(text + at, bytes - at, &n)) != k) break;
    }
    return at;
}

static bool is_line_end(uint8_t c)
{
    return c == '\r' || c == '\n';
}

/* \s*[\r\n]+ gives back what follows the last line end of the spaces; \s+(?!\S) the last space. */
static size_t cut_spaces(const uint8_t *text, size_t bytes)
{
    const size_t spaces = run_of_kind(text, bytes, KIND_SPACE, SIZE_MAX);
    size_t lines = spaces, last = 0, n;

    while (lines && !is_line_end(text[lines - 1])) lines--;
    if (lines) return lines;
    if (spaces == bytes) return spaces;
    for (size_t at = 0; at < spaces; at += n) {
        last = at;
        first_of(text + at, bytes - at, &n);
    }
    return last ? last : spaces;
}

static size_t cut_llama3(const uint8_t *text, size_t bytes)
{
    size_t n, rest;

    if (text[0] == '\'') {
        n = contraction(text, bytes, true);
        if (n) return n;
    }
    const kind first = kind_of(first_of(text, bytes, &n));
    if (first == KIND_LETTER) return run_of_kind(text, bytes, KIND_LETTER, SIZE_MAX);
    if (first == KIND_DIGIT) return run_of_kind(text, bytes, KIND_DIGIT, 3);
    if (!is_line_end(text[0])) { /* one that is neither letter nor number may lead a word */
        rest = run_of_kind(text + n, bytes - n, KIND_LETTER, SIZE_MAX);
        if (rest) return n + rest;
    }
    const size_t lead = text[0] == ' ';
    rest = run_of_kind(text + lead, bytes - lead, KIND_OTHER, SIZE_MAX);
    if (rest) {
        n = lead + rest;
        while (n < bytes && is_line_end(text[n])) n++;
        return n;
    }
    return cut_spaces(text, bytes);
}

size_t lpu_tokenizer_cut(lpu_tokenizer_pattern pattern, const uint8_t *text, size_t bytes)
{
    return pattern == LPU_TOKENIZER_LLAMA3 ? cut_llama3(text, bytes) : cut_gpt2(text, bytes);
}
