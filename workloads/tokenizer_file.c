/* workloads/tokenizer_file.c - the tokenizer's fields in a GGUF file.
 *
 * There a token is UTF-8: each byte is written as one letter, so that no token has spaces or broken
 * text. Printable bytes are themselves; the 68 others are U+0100 and up, in order (openai/gpt-2,
 * src/encoder.py, bytes_to_unicode). Control tokens are plain text.
 */
#include "workloads/tokenizer_private.h"

#include <stdlib.h>
#include <string.h>

enum { LETTERS = 256 + 68, NORMAL = 1, CONTROL = 3 }; /* llama.h, enum llama_token_type */

#define KEY "tokenizer.ggml."

static bool is_printable(int c)
{
    return (c >= '!' && c <= '~') || (c >= 0xa1 && c <= 0xac) || c >= 0xae;
}

/* letter[byte], and the byte of each letter, -1 where it has none. */
static void make_letters(uint16_t *letter, int16_t *byte)
{
    uint16_t next = 256;

    for (int i = 0; i < LETTERS; i++) byte[i] = -1;
    for (int c = 0; c < LPU_TOKENIZER_BYTES; c++) {
        letter[c] = is_printable(c) ? (uint16_t)c : next++;
        byte[letter[c]] = (int16_t)c;
    }
}

/* ---- writing ---- */

/* Two bytes of out for a byte of text at most. */
static size_t to_letters(char *out, const uint16_t *letter, const uint8_t *text, size_t bytes)
{
    size_t n = 0;

    for (size_t i = 0; i < bytes; i++) {
        const uint16_t c = letter[text[i]];
        if (c >= 0x80) out[n++] = (char)(0xc0 | c >> 6);
        out[n++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
    }
    return n;
}

static size_t token_letters(char *out, const uint16_t *letter, const lpu_tokenizer *t, int32_t id)
{
    const lpu_tokenizer_piece *p = &t->tokens[id];

    if (!p->is_control) return to_letters(out, letter, t->text + p->first, p->bytes);
    memcpy(out, t->text + p->first, p->bytes);
    return p->bytes;
}

lpu_status lpu_tokenizer_save(const lpu_tokenizer *t, lpu_gguf_writer *w, lpu_diag *diag)
{
    uint16_t letter[LPU_TOKENIZER_BYTES];
    int16_t byte[LETTERS];
    size_t longest = 0;

    make_letters(letter, byte);
    for (uint32_t i = 0; i < t->vocab; i++) {
        if (t->tokens[i].bytes > longest) longest = t->tokens[i].bytes;
    }
    char *line = malloc(4 * longest + 1);
    int32_t *kinds = malloc((t->vocab + 1) * sizeof(*kinds));
    if (line && kinds) {
        lpu_gguf_writer_put_string(w, KEY "model", "gpt2");
        lpu_gguf_writer_put_string(w, KEY "pre", "gpt-2");
        lpu_gguf_writer_begin_strings(w, KEY "tokens", t->vocab);
        for (uint32_t i = 0; i < t->vocab; i++) {
            kinds[i] = t->tokens[i].is_control ? CONTROL : NORMAL;
            lpu_gguf_writer_next_string(w, line, token_letters(line, letter, t, (int32_t)i));
        }
        lpu_gguf_writer_put_array(w, KEY "token_type", LPU_GGUF_I32, kinds, t->vocab);
        lpu_gguf_writer_begin_strings(w, KEY "merges", t->merge_count);
        for (size_t i = 0; i < t->merge_count; i++) {
            size_t n = token_letters(line, letter, t, t->merges[i].left);
            line[n++] = ' ';
            n += token_letters(line + n, letter, t, t->merges[i].right);
            lpu_gguf_writer_next_string(w, line, n);
        }
        if (t->bos >= 0) lpu_gguf_writer_put_u32(w, KEY "bos_token_id", (uint32_t)t->bos);
        if (t->eos >= 0) lpu_gguf_writer_put_u32(w, KEY "eos_token_id", (uint32_t)t->eos);
    }
    const bool is_done = line && kinds;
    free(line);
    free(kinds);
    return is_done ? LPU_OK : lpu_fail(diag, LPU_ERR_MEMORY, "tokenizer: out of memory");
}

/* ---- reading ---- */

typedef struct reader {
    const lpu_gguf *g;
    lpu_tokenizer *t;
    int16_t byte[LETTERS];
    uint8_t *text; /* room for the longest string of the file, as bytes */
    lpu_diag *diag;
} reader;

static lpu_status fail_memory(const reader *r)
{
    return lpu_fail(r->diag, LPU_ERR_MEMORY, "%s: tokenizer: out of memory", lpu_gguf_name(r->g));
}

static lpu_status expect_string(const reader *r, const char *key, const char *expected)
{
    lpu_gguf_string s;
    lpu_status status = lpu_gguf_get_string(r->g, key, &s, r->diag);

    if (status) return status;
    if (s.bytes == strlen(expected) && !memcmp(s.text, expected, s.bytes)) return LPU_OK;
    return lpu_fail(r->diag, LPU_ERR_FORMAT, "%s: %s is not \"%s\", which is the one known here",
                    lpu_gguf_name(r->g), key, expected);
}

/* Letters back to bytes, into r->text; false: not letters. */
static bool from_letters(const reader *r, const char *text_, size_t bytes, size_t *count)
{
    const uint8_t *text = (const uint8_t *)text_;

    *count = 0;
    for (size_t i = 0; i < bytes; i++) {
        unsigned c = text[i];
        if (c >= 0xc2 && c < 0xc2 + LETTERS / 64 && i + 1 < bytes && (text[i + 1] & 0xc0) == 0x80) {
            c = (c & 0x1f) << 6 | (text[++i] & 0x3f);
        } else if (c >= 0x80) {
            return false;
        }
        if (c >= LETTERS || r->byte[c] < 0) return false;
        r->text[(*count)++] = (uint8_t)r->byte[c];
    }
    return true;
}

static lpu_status read_token(reader *r, size_t i, lpu_gguf_string s, int32_t kind)
{
    const bool is_control = kind != NORMAL;
    size_t n = s.bytes;

    if (is_control) {
        memcpy(r->text, s.text, n);
    } else if (!n || !from_letters(r, s.text, s.bytes, &n)) {
        return lpu_fail(r->diag, LPU_ERR_FORMAT,
                        "%s: token %zu is not written in GPT-2's letters for bytes",
                        lpu_gguf_name(r->g), i);
    }
    const int32_t same = lpu_tokenizer_find(r->t, r->text, n, is_control);
    if (same >= 0) {
        return lpu_fail(r->diag, LPU_ERR_FORMAT, "%s: tokens %d and %zu are the same",
                        lpu_gguf_name(r->g), same, i);
    }
    return lpu_tokenizer_add(r->t, r->text, n, is_control) ? LPU_OK : fail_memory(r);
}

static lpu_status read_tokens(reader *r, const lpu_gguf_string *tokens, size_t count)
{
    const void *kinds = NULL;
    size_t kind_count = count;
    lpu_status status = LPU_OK;

    if (lpu_gguf_has(r->g, KEY "token_type")) {
        status =
            lpu_gguf_get_array(r->g, KEY "token_type", LPU_GGUF_I32, &kinds, &kind_count, r->diag);
    }
    if (!status && kind_count != count) {
        return lpu_fail(r->diag, LPU_ERR_FORMAT, "%s: found %zu token types, expected %zu",
                        lpu_gguf_name(r->g), kind_count, count);
    }
    for (size_t i = 0; i < count && !status; i++) {
        int32_t kind = NORMAL;
        if (kinds) memcpy(&kind, (const uint8_t *)kinds + i * sizeof(kind), sizeof(kind));
        status = read_token(r, i, tokens[i], kind);
    }
    for (int i = 0; i < LPU_TOKENIZER_BYTES && !status; i++) {
        if (r->t->byte_token[i] < 0) {
            status = lpu_fail(r->diag, LPU_ERR_FORMAT, "%s: no token stands for byte 0x%02x",
                              lpu_gguf_name(r->g), (unsigned)i);
        }
    }
    return status;
}

/* "left right": both are tokens, and so are they together. */
static lpu_status read_merge(reader *r, size_t i, lpu_gguf_string s)
{
    const char *space = memchr(s.text, ' ', s.bytes);
    lpu_tokenizer_merge m = {-1, -1, -1};
    size_t n;

    if (space) {
        const size_t left = (size_t)(space - s.text), right = s.bytes - left - 1;
        if (from_letters(r, s.text, left, &n)) m.left = lpu_tokenizer_find(r->t, r->text, n, false);
        if (from_letters(r, space + 1, right, &n)) {
            m.right = lpu_tokenizer_find(r->t, r->text, n, false);
        }
        if (m.left >= 0 && m.right >= 0) {
            const lpu_tokenizer_piece *p = &r->t->tokens[m.left], *q = &r->t->tokens[m.right];
            memcpy(r->text, r->t->text + p->first, p->bytes);
            memcpy(r->text + p->bytes, r->t->text + q->first, q->bytes);
            m.whole = lpu_tokenizer_find(r->t, r->text, p->bytes + q->bytes, false);
        }
    }
    if (m.whole < 0) {
        return lpu_fail(r->diag, LPU_ERR_FORMAT,
                        "%s: merge %zu is not two tokens that make a third, with a space between",
                        lpu_gguf_name(r->g), i);
    }
    return lpu_tokenizer_add_merge(r->t, m) ? LPU_OK : fail_memory(r);
}

/* Which pattern cuts, by the name that llama.cpp gives it. Files of bitnet.cpp name none, or
 * "default", though theirs are of Llama 3 (microsoft/BitNet, pull request 508): they are known by
 * the token that begins its texts. */
static lpu_status read_pattern(reader *r)
{
    static const char begin[] = "<|begin_of_text|>";
    static const struct {
        const char *name;
        lpu_tokenizer_pattern pattern;
    } names[] = {{"gpt-2", LPU_TOKENIZER_GPT2},
                 {"llama-bpe", LPU_TOKENIZER_LLAMA3},
                 {"llama3", LPU_TOKENIZER_LLAMA3},
                 {"llama-v3", LPU_TOKENIZER_LLAMA3}};
    lpu_gguf_string s = {"default", 7};
    lpu_status status = LPU_OK;

    if (lpu_gguf_has(r->g, KEY "pre")) status = lpu_gguf_get_string(r->g, KEY "pre", &s, r->diag);
    if (status) return status;
    if (s.bytes == 7 && !memcmp(s.text, "default", 7)) {
        const bool is_llama3 = lpu_tokenizer_find(r->t, begin, sizeof(begin) - 1, true) >= 0 ||
                               lpu_tokenizer_find(r->t, begin, sizeof(begin) - 1, false) >= 0;
        r->t->pattern = is_llama3 ? LPU_TOKENIZER_LLAMA3 : LPU_TOKENIZER_GPT2;
        return LPU_OK;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i].name) != s.bytes || memcmp(names[i].name, s.text, s.bytes)) continue;
        r->t->pattern = names[i].pattern;
        return LPU_OK;
    }
    return lpu_fail(r->diag, LPU_ERR_FORMAT,
                    "%s: " KEY "pre is not \"gpt-2\" or \"llama-bpe\", which are known here",
                    lpu_gguf_name(r->g));
}

/* Llama 3 takes a piece that is a token as it is, and begins with bos, unless the file says not
 * (llama.cpp, src/llama-vocab.cpp). */
static lpu_status read_habits(reader *r)
{
    lpu_status status = read_pattern(r);

    if (status) return status;
    r->t->ignores_merges = r->t->adds_bos = r->t->pattern == LPU_TOKENIZER_LLAMA3;
    if (!lpu_gguf_has(r->g, KEY "add_bos_token")) return LPU_OK;
    return lpu_gguf_get_bool(r->g, KEY "add_bos_token", &r->t->adds_bos, r->diag);
}

static lpu_status read_special(const reader *r, const char *key, int32_t *id)
{
    uint32_t value;

    if (!lpu_gguf_has(r->g, key)) return LPU_OK;
    lpu_status status = lpu_gguf_get_u32(r->g, key, &value, r->diag);
    if (status) return status;
    if (value >= r->t->vocab) {
        return lpu_fail(r->diag, LPU_ERR_FORMAT, "%s: %s is %u, expected less than %u",
                        lpu_gguf_name(r->g), key, value, r->t->vocab);
    }
    *id = (int32_t)value;
    return LPU_OK;
}

static size_t longest_of(const lpu_gguf_string *s, size_t count)
{
    size_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        if (s[i].bytes > longest) longest = s[i].bytes;
    }
    return longest;
}

static lpu_status read_all(reader *r, const lpu_gguf_string *tokens, size_t count,
                           const lpu_gguf_string *merges, size_t merge_count)
{
    const size_t token_bytes = longest_of(tokens, count);
    const size_t merge_bytes = longest_of(merges, merge_count);
    uint16_t letter[LPU_TOKENIZER_BYTES];
    lpu_status status = LPU_OK;

    if (count < LPU_TOKENIZER_VOCAB_MIN || count > LPU_TOKENIZER_VOCAB_MAX ||
        merge_count > LPU_TOKENIZER_VOCAB_MAX) {
        return lpu_fail(
            r->diag, LPU_ERR_FORMAT,
            "%s: found %zu tokens and %zu merges, expected %d to %d, and as many merges "
            "at most",
            lpu_gguf_name(r->g), count, merge_count, LPU_TOKENIZER_VOCAB_MIN,
            LPU_TOKENIZER_VOCAB_MAX);
    }
    make_letters(letter, r->byte);
    r->t = lpu_tokenizer_make((uint32_t)count);
    r->text = malloc((token_bytes > merge_bytes ? token_bytes : merge_bytes) + 1);
    if (!r->t || !r->text) return fail_memory(r);
    status = read_tokens(r, tokens, count);
    for (size_t i = 0; i < merge_count && !status; i++) status = read_merge(r, i, merges[i]);
    if (!status) status = read_special(r, KEY "bos_token_id", &r->t->bos);
    if (!status) status = read_special(r, KEY "eos_token_id", &r->t->eos);
    if (!status) status = read_habits(r);
    if (!status && !lpu_tokenizer_index(r->t)) status = fail_memory(r);
    return status;
}

lpu_status lpu_tokenizer_load(lpu_tokenizer **out, const lpu_gguf *g, lpu_diag *diag)
{
    reader r = {.g = g, .diag = diag};
    lpu_gguf_string *tokens = NULL, *merges = NULL;
    size_t count = 0, merge_count = 0;
    lpu_status status = expect_string(&r, KEY "model", "gpt2");

    *out = NULL;
    if (!status) status = lpu_gguf_get_strings(g, KEY "tokens", &tokens, &count, diag);
    if (!status) status = lpu_gguf_get_strings(g, KEY "merges", &merges, &merge_count, diag);
    if (!status) status = read_all(&r, tokens, count, merges, merge_count);
    free(tokens);
    free(merges);
    free(r.text);
    if (status) lpu_tokenizer_close(&r.t);
    *out = r.t;
    return status;
}
