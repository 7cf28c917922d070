/* workloads/tokenizer_private.h - what training, files and encoding share. */
#ifndef LPU_WORKLOADS_TOKENIZER_PRIVATE_H
#define LPU_WORKLOADS_TOKENIZER_PRIVATE_H

#include "workloads/tokenizer.h"

#include <stdbool.h>

typedef struct lpu_tokenizer_merge {
    int32_t left, right, whole;
} lpu_tokenizer_merge;

/* One token: a part of text. */
typedef struct lpu_tokenizer_piece {
    size_t first, bytes;
    bool is_control; /* stands for no bytes; text has its name */
} lpu_tokenizer_piece;

/* Which pattern cuts the text. */
typedef enum lpu_tokenizer_pattern { LPU_TOKENIZER_GPT2, LPU_TOKENIZER_LLAMA3 } lpu_tokenizer_pattern;

struct lpu_tokenizer {
    lpu_tokenizer_pattern pattern;
    bool adds_bos, ignores_merges; /* ignores: of a piece that is a token as a whole */
    uint8_t *text; /* (text_bytes) of all tokens */
    size_t text_bytes, text_room;
    lpu_tokenizer_piece *tokens; /* (vocab) */
    uint32_t vocab;
    int32_t byte_token[LPU_TOKENIZER_BYTES];
    lpu_tokenizer_merge *merges; /* (merge_count) best first */
    size_t merge_count;
    size_t merge_room;
    uint32_t *names; /* (name_slots) of tokens, by hash of their text; id + 1, 0 is empty */
    size_t name_slots;
    uint32_t *ranks; /* (rank_slots) of merges, by hash of left and right; rank + 1, 0 is empty */
    size_t rank_slots;
    int32_t *controls; /* (control_count) ids of control tokens */
    uint32_t control_count;
    int32_t bos, eos;
};

/* An empty tokenizer with room for vocab tokens. NULL: out of memory. */
lpu_tokenizer *lpu_tokenizer_make(uint32_t vocab);

/* Adds a token of these bytes; false: out of memory. There is room for it. */
bool lpu_tokenizer_add(lpu_tokenizer *t, const void *text, size_t bytes, bool is_control);

/* The id of the first token of this text, that is control or not; -1: there is none. */
int32_t lpu_tokenizer_find(const lpu_tokenizer *t, const void *text, size_t bytes, bool is_control);

/* Adds a merge; false: out of memory. */
bool lpu_tokenizer_add_merge(lpu_tokenizer *t, lpu_tokenizer_merge merge);

/* Makes the tables of ranks and controls once all tokens and merges are there; false: out of memory. */
bool lpu_tokenizer_index(lpu_tokenizer *t);

/* Bytes of the first piece of text: a word, a number, punctuation, with the space before it, or
 * spaces. bytes > 0. */
size_t lpu_tokenizer_cut(lpu_tokenizer_pattern pattern, const uint8_t *text, size_t bytes);

uint64_t lpu_tokenizer_hash(uint64_t key);
uint64_t lpu_tokenizer_hash_text(const uint8_t *text, size_t bytes);

#endif
