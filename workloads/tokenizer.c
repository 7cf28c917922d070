/* workloads/tokenizer.c - merges the bytes of each piece of text by rank. */
#include "workloads/tokenizer.h"

#include "workloads/tokenizer_private.h"

#include <stdlib.h>
#include <string.h>

/* splitmix64's finaliser (Steele, Lea, Flood, OOPSLA 2014, figure 16). */
uint64_t lpu_tokenizer_hash(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* FNV-1a, 64 bits: offset and prime of RFC 9923. */
uint64_t lpu_tokenizer_hash_text(const uint8_t *text, size_t bytes)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < bytes; i++) h = (h ^ text[i]) * 0x100000001b3u;
    return h;
}

lpu_tokenizer *lpu_tokenizer_make(uint32_t vocab)
{
    lpu_tokenizer *t = calloc(1, sizeof(*t));

    if (!t) return NULL;
    t->tokens = calloc((size_t)vocab + 1, sizeof(*t->tokens));
    t->name_slots = 16;
    while (t->name_slots < 2 * (size_t)vocab) t->name_slots *= 2;
    t->names = calloc(t->name_slots, sizeof(*t->names));
    t->bos = t->eos = -1;
    memset(t->byte_token, 0xff, sizeof(t->byte_token)); /* -1 */
    if (!t->tokens || !t->names) lpu_tokenizer_close(&t);
    return t;
}

void lpu_tokenizer_close(lpu_tokenizer **out)
{
    lpu_tokenizer *t = *out;

    if (!t) return;
    free(t->text);
    free(t->tokens);
    free(t->merges);
    free(t->names);
    free(t->controls);
    free(t->ranks);
    free(t);
    *out = NULL;
}

static size_t name_slot(const lpu_tokenizer *t, const uint8_t *text, size_t bytes, bool is_control)
{
    size_t slot = (size_t)lpu_tokenizer_hash_text(text, bytes) & (t->name_slots - 1);

    while (t->names[slot]) {
        const lpu_tokenizer_piece *p = &t->tokens[t->names[slot] - 1];
        if (p->bytes == bytes && p->is_control == is_control &&
            !memcmp(t->text + p->first, text, bytes)) {
            break;
        }
        slot = (slot + 1) & (t->name_slots - 1);
    }
    return slot;
}

int32_t lpu_tokenizer_find(const lpu_tokenizer *t, const void *text, size_t bytes, bool is_control)
{
    return (int32_t)t->names[name_slot(t, text, bytes, is_control)] - 1;
}

bool lpu_tokenizer_add(lpu_tokenizer *t, const void *text, size_t bytes, bool is_control)
{
    const size_t slot = name_slot(t, text, bytes, is_control);

    if (bytes + 1 > t->text_room - t->text_bytes) {
        const size_t room = 2 * (t->text_bytes + bytes) + 4096;
        uint8_t *more = realloc(t->text, room);
        if (!more) return false;
        t->text = more;
        t->text_room = room;
    }
    if (bytes) memcpy(t->text + t->text_bytes, text, bytes);
    t->tokens[t->vocab] = (lpu_tokenizer_piece){t->text_bytes, bytes, is_control};
    t->text_bytes += bytes;
    t->vocab++;
    if (t->names[slot]) return true;
    t->names[slot] = t->vocab;
    if (bytes == 1 && !is_control) t->byte_token[*(const uint8_t *)text] = (int32_t)t->vocab - 1;
    return true;
}

bool lpu_tokenizer_add_merge(lpu_tokenizer *t, lpu_tokenizer_merge merge)
{
    if (t->merge_count == t->merge_room) {
        const size_t room = 2 * t->merge_room + 1024;
        lpu_tokenizer_merge *more = realloc(t->merges, room * sizeof(*more));
        if (!more) return false;
        t->merges = more;
        t->merge_room = room;
    }
    t->merges[t->merge_count++] = merge;
    return true;
}

static size_t slot_of(const lpu_tokenizer *t, int32_t left, int32_t right)
{
    const uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    size_t slot = (size_t)lpu_tokenizer_hash(key) & (t->rank_slots - 1);

    while (t->ranks[slot]) {
        const lpu_tokenizer_merge *m = &t->merges[t->ranks[slot] - 1];
        if (m->left == left && m->right == right) break;
        slot = (slot + 1) & (t->rank_slots - 1);
    }
    return slot;
}

bool lpu_tokenizer_index(lpu_tokenizer *t)
{
    t->rank_slots = 16;
    while (t->rank_slots < 2 * t->merge_count) t->rank_slots *= 2;
    t->ranks = calloc(t->rank_slots, sizeof(*t->ranks));
    t->controls = calloc((size_t)t->vocab + 1, sizeof(*t->controls));
    if (!t->ranks || !t->controls) return false;
    for (uint32_t i = 0; i < t->vocab; i++) {
        if (t->tokens[i].is_control && t->tokens[i].bytes) {
            t->controls[t->control_count++] = (int32_t)i;
        }
    }
    for (size_t i = 0; i < t->merge_count; i++) {
        const size_t slot = slot_of(t, t->merges[i].left, t->merges[i].right);
        if (!t->ranks[slot]) t->ranks[slot] = (uint32_t)i + 1; /* the better of two equals */
    }
    return true;
}

uint32_t lpu_tokenizer_vocab(const lpu_tokenizer *t)
{
    return t->vocab;
}

int32_t lpu_tokenizer_bos(const lpu_tokenizer *t)
{
    return t->bos;
}

int32_t lpu_tokenizer_eos(const lpu_tokenizer *t)
{
    return t->eos;
}

bool lpu_tokenizer_adds_bos(const lpu_tokenizer *t)
{
    return t->adds_bos;
}

const uint8_t *lpu_tokenizer_token(const lpu_tokenizer *t, int32_t id, size_t *bytes)
{
    const lpu_tokenizer_piece *p = &t->tokens[id];

    *bytes = p->is_control ? 0 : p->bytes;
    return t->text + p->first;
}

/* ---- encoding ---- */

/* Rank of the best pair of neighbours; UINT32_MAX if none can be merged. */
static uint32_t best_rank(const lpu_tokenizer *t, const int32_t *ids, size_t count)
{
    uint32_t best = UINT32_MAX;

    for (size_t i = 0; i + 1 < count; i++) {
        const uint32_t rank = t->ranks[slot_of(t, ids[i], ids[i + 1])];
        if (rank && rank - 1 < best) best = rank - 1;
    }
    return best;
}

/* Merges ids in place, the best pair everywhere from left to right, until none is left. */
static size_t merge_all(const lpu_tokenizer *t, int32_t *ids, size_t count)
{
    for (;;) {
        const uint32_t rank = best_rank(t, ids, count);
        if (rank == UINT32_MAX) return count;

        const lpu_tokenizer_merge m = t->merges[rank];
        size_t kept = 0;
        for (size_t i = 0; i < count; kept++) {
            const bool is_pair = i + 1 < count && ids[i] == m.left && ids[i + 1] == m.right;
            ids[kept] = is_pair ? m.whole : ids[i];
            i += is_pair ? 2 : 1;
        }
        count = kept;
    }
}

/* The ids of one piece, to out; returns how many. */
static size_t encode_piece(const lpu_tokenizer *t, int32_t *out, const uint8_t *text, size_t bytes)
{
    if (t->ignores_merges) { /* a piece that is a token needs none */
        out[0] = lpu_tokenizer_find(t, text, bytes, false);
        if (out[0] >= 0) return 1;
    }
    for (size_t i = 0; i < bytes; i++) out[i] = t->byte_token[text[i]];
    return merge_all(t, out, bytes);
}

static size_t encode_span(const lpu_tokenizer *t, int32_t *out, const uint8_t *text, size_t bytes)
{
    size_t used = 0;

    while (bytes) {
        const size_t n = lpu_tokenizer_cut(t->pattern, text, bytes);
        used += encode_piece(t, out + used, text, n);
        text += n;
        bytes -= n;
    }
    return used;
}

/* The longest control token whose name text begins with, -1 if none. */
static int32_t control_at(const lpu_tokenizer *t, const uint8_t *text, size_t bytes)
{
    int32_t best = -1;
    size_t longest = 0;

    for (uint32_t i = 0; i < t->control_count; i++) {
        const lpu_tokenizer_piece *p = &t->tokens[t->controls[i]];
        if (p->bytes <= longest || p->bytes > bytes) continue;
        if (memcmp(t->text + p->first, text, p->bytes)) continue;
        best = t->controls[i];
        longest = p->bytes;
    }
    return best;
}

static int32_t *open_ids(size_t bytes, lpu_diag *diag)
{
    int32_t *out = NULL;

    if (bytes < SIZE_MAX / sizeof(*out)) out = malloc((bytes + 1) * sizeof(*out));
    if (!out) (void)lpu_fail(diag, LPU_ERR_MEMORY, "tokenizer: no memory for %zu bytes", bytes);
    return out;
}

lpu_status lpu_tokenizer_encode(const lpu_tokenizer *t, const void *text, size_t bytes,
                                int32_t **ids, size_t *count, lpu_diag *diag)
{
    *ids = open_ids(bytes, diag);
    *count = *ids ? encode_span(t, *ids, text, bytes) : 0;
    return *ids ? LPU_OK : LPU_ERR_MEMORY;
}

lpu_status lpu_tokenizer_encode_controls(const lpu_tokenizer *t, const void *text_, size_t bytes,
                                         int32_t **ids, size_t *count, lpu_diag *diag)
{
    const uint8_t *text = text_;
    size_t used = 0, first = 0;
    int32_t *out = open_ids(bytes, diag);

    *ids = out;
    *count = 0;
    if (!out) return LPU_ERR_MEMORY;
    for (size_t i = 0; i < bytes;) {
        const int32_t id = control_at(t, text + i, bytes - i);
        if (id < 0) {
            i++;
            continue;
        }
        used += encode_span(t, out + used, text + first, i - first);
        out[used++] = id;
        i += t->tokens[id].bytes;
        first = i;
    }
    *count = used + encode_span(t, out + used, text + first, bytes - first);
    return LPU_OK;
}

lpu_status lpu_tokenizer_decode(const lpu_tokenizer *t, const int32_t *ids, size_t count,
                                uint8_t **text, size_t *bytes, lpu_diag *diag)
{
    size_t total = 0, n;

    *text = NULL;
    *bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (ids[i] < 0 || (uint32_t)ids[i] >= t->vocab) {
            return lpu_fail(diag, LPU_ERR_RANGE, "tokenizer: id %zu is %d, expected 0 to %u", i,
                            ids[i], t->vocab - 1);
        }
        lpu_tokenizer_token(t, ids[i], &n);
        if (n > SIZE_MAX / 2 - total) {
            return lpu_fail(diag, LPU_ERR_RANGE, "tokenizer: %zu ids are too long a text", count);
        }
        total += n;
    }
    uint8_t *out = malloc(total + 1);
    if (!out) return lpu_fail(diag, LPU_ERR_MEMORY, "tokenizer: no memory for %zu bytes", total);
    total = 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *token = lpu_tokenizer_token(t, ids[i], &n);
        if (n) memcpy(out + total, token, n);
        total += n;
    }
    out[total] = 0;
    *text = out;
    *bytes = total;
    return LPU_OK;
}
