/* workloads/tokenizer.h - text to token ids and back: byte-level BPE, as GPT-2 has it.
 *
 * Text is any bytes. It is cut into words, spaces and punctuation; within a piece, neighbours are
 * merged in the order of the merge list. Every byte has a token, so decode(encode(x)) = x always.
 * In a GGUF file this is tokenizer.ggml.model "gpt2", with pre "gpt-2" or "llama-bpe". The cut of
 * GPT-2 is that on ASCII; bytes of 128 and more count as letters, where GPT-2 asks Unicode. The cut
 * of Llama 3 asks Unicode. Training makes a GPT-2 tokenizer, and is deterministic.
 */
#ifndef LPU_WORKLOADS_TOKENIZER_H
#define LPU_WORKLOADS_TOKENIZER_H

#include "workloads/gguf.h"
#include "workloads/gguf_writer.h"
#include "workloads/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LPU_TOKENIZER_BYTES = 256,
    LPU_TOKENIZER_VOCAB_MIN = LPU_TOKENIZER_BYTES + 1, /* the bytes and <|endoftext|> */
    LPU_TOKENIZER_VOCAB_MAX = 1 << 20,
};

typedef struct lpu_tokenizer lpu_tokenizer;

/* Learns merges from text until there are vocab tokens: first the bytes, then a token per merge,
 * last <|endoftext|>, which is bos and eos. LPU_ERR_RANGE if the text has too few pairs. */
lpu_status lpu_tokenizer_train(lpu_tokenizer **t, const void *text, size_t bytes, uint32_t vocab,
                               lpu_diag *diag);

/* Reads the tokenizer of a model file, which may be closed afterwards. */
lpu_status lpu_tokenizer_load(lpu_tokenizer **t, const lpu_gguf *g, lpu_diag *diag);

/* Puts it among the metadata of a file being written. */
lpu_status lpu_tokenizer_save(const lpu_tokenizer *t, lpu_gguf_writer *w, lpu_diag *diag);
void lpu_tokenizer_close(lpu_tokenizer **t);

uint32_t lpu_tokenizer_vocab(const lpu_tokenizer *t);
int32_t lpu_tokenizer_bos(const lpu_tokenizer *t); /* -1: the file names none */
int32_t lpu_tokenizer_eos(const lpu_tokenizer *t);
bool lpu_tokenizer_adds_bos(const lpu_tokenizer *t); /* a text is to begin with bos */

/* The bytes that a token stands for, owned by t; none for control tokens. id is in the vocabulary. */
const uint8_t *lpu_tokenizer_token(const lpu_tokenizer *t, int32_t id, size_t *bytes);

/* The ids of text, without bos; the caller frees *ids. */
lpu_status lpu_tokenizer_encode(const lpu_tokenizer *t, const void *text, size_t bytes,
                                int32_t **ids, size_t *count, lpu_diag *diag);

/* The same; names of control tokens in the text, as <|eot_id|>, become these tokens. */
lpu_status lpu_tokenizer_encode_controls(const lpu_tokenizer *t, const void *text, size_t bytes,
                                         int32_t **ids, size_t *count, lpu_diag *diag);

/* The bytes of ids and a zero after them; the caller frees *text. LPU_ERR_RANGE for an id that is
 * not in the vocabulary. */
lpu_status lpu_tokenizer_decode(const lpu_tokenizer *t, const int32_t *ids, size_t count,
                                uint8_t **text, size_t *bytes, lpu_diag *diag);

#endif
