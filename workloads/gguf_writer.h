/* workloads/gguf_writer.h - writes a GGUF file: first what it will hold, then the tensors' bytes.
 *
 * open; put metadata and declare tensors; then write the tensors' bytes in the order of their
 * declaration, in pieces of any size; commit. Nothing is at path until commit has succeeded.
 */
#ifndef LPU_WORKLOADS_GGUF_WRITER_H
#define LPU_WORKLOADS_GGUF_WRITER_H

#include "workloads/gguf.h"

typedef struct lpu_gguf_writer lpu_gguf_writer;

lpu_status lpu_gguf_writer_open(lpu_gguf_writer **w, const char *path, lpu_diag *diag);

/* Metadata. Arrays of strings are begun with their count, then put one by one. Lack of memory is
 * told by write and commit. */
void lpu_gguf_writer_put_u32(lpu_gguf_writer *w, const char *key, uint32_t value);
void lpu_gguf_writer_put_f32(lpu_gguf_writer *w, const char *key, float value);
void lpu_gguf_writer_put_string(lpu_gguf_writer *w, const char *key, const char *text);
void lpu_gguf_writer_put_array(lpu_gguf_writer *w, const char *key, lpu_gguf_kind kind,
                               const void *values, size_t count); /* numbers */
void lpu_gguf_writer_begin_strings(lpu_gguf_writer *w, const char *key, size_t count);
void lpu_gguf_writer_next_string(lpu_gguf_writer *w, const char *text, size_t bytes);

/* All metadata of another file but its alignment. */
void lpu_gguf_writer_copy(lpu_gguf_writer *w, const lpu_gguf *from);

/* Tensors begin at multiples of bytes, a power of two of at most 4096. Before the first of them. */
void lpu_gguf_writer_align(lpu_gguf_writer *w, uint32_t bytes);

/* Declares a tensor of rows rows of row_elems, a multiple of the type's block; rows 0 makes it a
 * vector of one dimension. Returns the bytes that write is to be given for it. */
uint64_t lpu_gguf_writer_declare(lpu_gguf_writer *w, const char *name, lpu_quant type,
                                 uint64_t row_elems, uint64_t rows);

/* The next bytes of the tensors' data; they may not cross the end of a tensor. */
lpu_status lpu_gguf_writer_write(lpu_gguf_writer *w, const void *data, size_t bytes,
                                 lpu_diag *diag);

/* The checksum (workloads/checksum.h) of all bytes of the file so far: while no tensor is in hand,
 * those before the next one. */
uint64_t lpu_gguf_writer_sum(const lpu_gguf_writer *w);

/* Every declared byte must have been written. Frees *w, as does close, which drops the file. */
lpu_status lpu_gguf_writer_commit(lpu_gguf_writer **w, lpu_diag *diag);
void lpu_gguf_writer_close(lpu_gguf_writer **w);

#endif
