/* workloads/tokenizer_train.c - learns merges: the most frequent pair of neighbours within words
 * becomes a token, again and again. Of equally frequent pairs the one of lower ids is taken. */
#include "workloads/tokenizer_private.h"

#include <stdlib.h>
#include <string.h>

static const char end_of_text[] = "<|endoftext|>"; /* GPT-2's only control token */

/* Different pieces of the text, each with how often it occurs. */
typedef struct words {
    int32_t *symbols; /* (symbol_count) ids, word after word; -1 after each word */
    size_t symbol_count;
    uint64_t *times; /* (count) */
    size_t count;
} words;

typedef struct word_slot {
    const uint8_t *text; /* NULL: empty */
    size_t bytes;
    uint64_t times;
    size_t order; /* of first occurrence */
} word_slot;

/* How often each pair occurs: open addressing; a pair that is gone keeps its slot with 0 times. */
typedef struct pairs {
    uint64_t *keys;  /* (slots) left << 32 | right, plus 1; 0 is empty */
    uint64_t *times; /* (slots) */
    size_t slots, used;
} pairs;

static word_slot *find_word(word_slot *table, size_t slots, const uint8_t *text, size_t bytes)
{
    size_t slot = (size_t)lpu_tokenizer_hash_text(text, bytes) & (slots - 1);
    while (table[slot].text &&
           (table[slot].bytes != bytes || memcmp(table[slot].text, text, bytes))) {
        slot = (slot + 1) & (slots - 1);
    }
    return &table[slot];
}

static bool grow_words(word_slot **table, size_t *slots)
{
    const size_t more = *slots * 2;
    word_slot *bigger = calloc(more, sizeof(*bigger));

    if (!bigger) return false;
    for (size_t i = 0; i < *slots; i++) {
        const word_slot *old = &(*table)[i];
        if (old->text) *find_word(bigger, more, old->text, old->bytes) = *old;
    }
    free(*table);
    *table = bigger;
    *slots = more;
    return true;
}

/* Lays the words out in the order of their first occurrence. */
static bool lay_out(words *w, const word_slot *table, size_t slots, size_t bytes)
{
    const word_slot **ordered = calloc(w->count + 1, sizeof(*ordered));

    w->symbols = malloc((bytes + w->count + 1) * sizeof(*w->symbols));
    w->times = malloc((w->count + 1) * sizeof(*w->times));
    if (ordered && w->symbols && w->times) {
        for (size_t i = 0; i < slots; i++) {
            if (table[i].text) ordered[table[i].order] = &table[i];
        }
        for (size_t i = 0; i < w->count; i++) {
            w->times[i] = ordered[i]->times;
            for (size_t j = 0; j < ordered[i]->bytes; j++) {
                w->symbols[w->symbol_count++] = ordered[i]->text[j];
            }
            w->symbols[w->symbol_count++] = -1;
        }
    }
    const bool is_done = ordered && w->symbols && w->times;
    free(ordered);
    return is_done;
}

static bool collect(words *w, const uint8_t *text, size_t bytes)
{
    size_t slots = 1024, total = 0;
    word_slot *table = calloc(slots, sizeof(*table));
    bool is_done = table != NULL;

    while (bytes && is_done) {
        const size_t n = lpu_tokenizer_cut(LPU_TOKENIZER_GPT2, text, bytes);
        word_slot *s = find_word(table, slots, text, n);
        if (!s->text) {
            *s = (word_slot){text, n, 0, w->count++};
            total += n;
        }
        s->times++;
        text += n;
        bytes -= n;
        if (w->count * 2 > slots) is_done = grow_words(&table, &slots);
    }
    if (is_done) is_done = lay_out(w, table, slots, total);
    free(table);
    return is_done;
}

static size_t find_pair(const pairs *p, uint64_t key)
{
    size_t slot = (size_t)lpu_tokenizer_hash(key) & (p->slots - 1);
    while (p->keys[slot] && p->keys[slot] != key) slot = (slot + 1) & (p->slots - 1);
    return slot;
}

static bool open_pairs(pairs *p, size_t slots)
{
    *p = (pairs){calloc(slots, sizeof(*p->keys)), calloc(slots, sizeof(*p->times)), slots, 0};
    return p->keys && p->times;
}

static void close_pairs(pairs *p)
{
    free(p->keys);
    free(p->times);
}

/* Room for one more; pairs that are gone are dropped on the way. */
static bool grow_pairs(pairs *p)
{
    pairs bigger;
    size_t live = 0;

    for (size_t i = 0; i < p->slots; i++) live += p->keys[i] && p->times[i];
    if (!open_pairs(&bigger, live * 4 > p->slots ? p->slots * 2 : p->slots)) {
        close_pairs(&bigger);
        return false;
    }
    for (size_t i = 0; i < p->slots; i++) {
        if (!p->keys[i] || !p->times[i]) continue;
        const size_t slot = find_pair(&bigger, p->keys[i]);
        bigger.keys[slot] = p->keys[i];
        bigger.times[slot] = p->times[i];
        bigger.used++;
    }
    close_pairs(p);
    *p = bigger;
    return true;
}

static uint64_t pair_key(int32_t left, int32_t right)
{
    return ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) + 1;
}

static bool count_pair(pairs *p, int32_t left, int32_t right, uint64_t times, bool is_gone)
{
    const uint64_t key = pair_key(left, right);
    size_t slot;

    if (p->used * 2 >= p->slots && !grow_pairs(p)) return false;
    slot = find_pair(p, key);
    p->used += !p->keys[slot];
    p->keys[slot] = key;
    p->times[slot] += is_gone ? -times : times;
    return true;
}

static bool count_all(pairs *p, const words *w)
{
    for (size_t i = 0, word = 0; i + 1 < w->symbol_count; i++) {
        if (w->symbols[i] < 0) {
            word++;
        } else if (w->symbols[i + 1] >= 0 &&
                   !count_pair(p, w->symbols[i], w->symbols[i + 1], w->times[word], false)) {
            return false;
        }
    }
    return true;
}

/* False: no pair is left. */
static bool most_frequent(const pairs *p, int32_t *left, int32_t *right)
{
    uint64_t best = 0, key = 0;

    for (size_t i = 0; i < p->slots; i++) {
        if (p->times[i] > best || (p->times[i] == best && best && p->keys[i] < key)) {
            best = p->times[i];
            key = p->keys[i];
        }
    }
    *left = (int32_t)((key - 1) >> 32);
    *right = (int32_t)((key - 1) & UINT32_MAX);
    return best > 0;
}

/* Takes the pairs of one word out of the count, or puts them in. */
static bool count_word(pairs *p, const int32_t *symbols, size_t n, uint64_t times, bool is_gone)
{
    for (size_t i = 0; i + 1 < n; i++) {
        if (!count_pair(p, symbols[i], symbols[i + 1], times, is_gone)) return false;
    }
    return true;
}

/* Replaces left right by whole in all words; words that hold it are counted again. */
static bool apply(words *w, pairs *p, int32_t left, int32_t right, int32_t whole)
{
    size_t kept = 0;

    for (size_t i = 0, word = 0; i < w->symbol_count; word++) {
        size_t n = 0, made = 0;
        bool has_pair = false;
        int32_t *from = w->symbols + i, *to = w->symbols + kept;

        for (; from[n] >= 0; n++) has_pair |= from[n] == left && from[n + 1] == right;
        if (has_pair && !count_word(p, from, n, w->times[word], true)) return false;
        for (size_t j = 0; j < n; made++) {
            const bool is_pair = j + 1 < n && from[j] == left && from[j + 1] == right;
            to[made] = is_pair ? whole : from[j];
            j += is_pair ? 2 : 1;
        }
        if (has_pair && !count_word(p, to, made, w->times[word], false)) return false;
        to[made] = -1;
        kept += made + 1;
        i += n + 1;
    }
    w->symbol_count = kept;
    return true;
}

/* The token of left and right together, and the merge. "a bc" and "ab c" make the same token. */
static bool join(lpu_tokenizer *t, int32_t left, int32_t right, int32_t *whole)
{
    const lpu_tokenizer_piece l = t->tokens[left], r = t->tokens[right];
    uint8_t *text = malloc(l.bytes + r.bytes);
    bool is_done = text != NULL;

    if (!text) return false;
    memcpy(text, t->text + l.first, l.bytes);
    memcpy(text + l.bytes, t->text + r.first, r.bytes);
    *whole = lpu_tokenizer_find(t, text, l.bytes + r.bytes, false);
    if (*whole < 0) {
        *whole = (int32_t)t->vocab;
        is_done = lpu_tokenizer_add(t, text, l.bytes + r.bytes, false);
    }
    free(text);
    return is_done && lpu_tokenizer_add_merge(t, (lpu_tokenizer_merge){left, right, *whole});
}

static lpu_status learn(lpu_tokenizer *t, words *w, uint32_t vocab, lpu_diag *diag)
{
    pairs p;
    bool is_done = open_pairs(&p, 4096) && count_all(&p, w);
    lpu_status status = LPU_OK;

    while (is_done && !status && t->vocab + 1 < vocab) {
        int32_t left, right, whole;
        if (!most_frequent(&p, &left, &right)) {
            status = lpu_fail(diag, LPU_ERR_RANGE,
                              "tokenizer: the text has pairs for %u tokens, expected enough for %u",
                              t->vocab + 1, vocab);
            break;
        }
        is_done = join(t, left, right, &whole) && apply(w, &p, left, right, whole);
    }
    close_pairs(&p);
    return is_done ? status : lpu_fail(diag, LPU_ERR_MEMORY, "tokenizer: out of memory");
}

lpu_status lpu_tokenizer_train(lpu_tokenizer **out, const void *text, size_t bytes, uint32_t vocab,
                               lpu_diag *diag)
{
    words w = {0};
    lpu_status status = LPU_OK;

    *out = NULL;
    if (vocab < LPU_TOKENIZER_VOCAB_MIN || vocab > LPU_TOKENIZER_VOCAB_MAX) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "tokenizer: found a vocabulary of %u, expected %d to %d", vocab,
                        LPU_TOKENIZER_VOCAB_MIN, LPU_TOKENIZER_VOCAB_MAX);
    }
    lpu_tokenizer *t = lpu_tokenizer_make(vocab);
    bool is_made = t && collect(&w, text, bytes);
    for (int i = 0; i < LPU_TOKENIZER_BYTES && is_made; i++) {
        is_made = lpu_tokenizer_add(t, &(uint8_t){(uint8_t)i}, 1, false);
    }
    if (is_made) status = learn(t, &w, vocab, diag);
    if (is_made && !status) {
        t->bos = t->eos = (int32_t)t->vocab;
        is_made =
            lpu_tokenizer_add(t, end_of_text, strlen(end_of_text), true) && lpu_tokenizer_index(t);
    }
    if (!is_made) status = lpu_fail(diag, LPU_ERR_MEMORY, "tokenizer: out of memory");
    free(w.symbols);
    free(w.times);
    if (status) lpu_tokenizer_close(&t);
    *out = t;
    return status;
}
