/* workloads/gguf.h - model files: reads a GGUF file in place.
 *
 *   "GGUF", version, tensor count, metadata count | metadata | tensor infos | padding | data
 *
 * Version 2 or 3, little endian. Everything is checked when the file is opened: every length, every
 * offset, that names are unique and that tensors do not overlap. What is returned afterwards points
 * into the file and lives until close.
 */
#ifndef LPU_WORKLOADS_GGUF_H
#define LPU_WORKLOADS_GGUF_H

#include "workloads/quants.h"
#include "workloads/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds of metadata values, as numbered in the file. */
typedef enum lpu_gguf_kind {
    LPU_GGUF_U8,
    LPU_GGUF_I8,
    LPU_GGUF_U16,
    LPU_GGUF_I16,
    LPU_GGUF_U32,
    LPU_GGUF_I32,
    LPU_GGUF_F32,
    LPU_GGUF_BOOL,
    LPU_GGUF_STRING,
    LPU_GGUF_ARRAY,
    LPU_GGUF_U64,
    LPU_GGUF_I64,
    LPU_GGUF_F64,
    LPU_GGUF_KINDS
} lpu_gguf_kind;

enum {
    LPU_GGUF_VERSION = 3,
    LPU_GGUF_ALIGNMENT_BYTES = 32, /* of the data, unless general.alignment says otherwise */
    LPU_GGUF_NAME_BYTES = 64,      /* longest tensor name */
    LPU_GGUF_DIMS = 4,
};

/* Any bytes, not ended by zero. */
typedef struct lpu_gguf_string {
    const char *text;
    size_t bytes;
} lpu_gguf_string;

typedef struct lpu_gguf_tensor {
    char name[LPU_GGUF_NAME_BYTES + 1]; /* printable ASCII */
    lpu_quant type;
    uint32_t dims;
    uint64_t elems[LPU_GGUF_DIMS]; /* elems[0] is the length of a row; 1 beyond dims */
    uint64_t offset_bytes;         /* from the beginning of the file */
    uint64_t bytes;
    const void *data; /* (bytes) */
} lpu_gguf_tensor;

typedef struct lpu_gguf lpu_gguf;

/* Maps a file. On failure *g is NULL. */
lpu_status lpu_gguf_open(lpu_gguf **g, const char *path, lpu_diag *diag);

/* The same from memory, which is borrowed until close; name stands for the file in messages. */
lpu_status lpu_gguf_parse(lpu_gguf **g, const char *name, const void *data, size_t bytes,
                          lpu_diag *diag);
void lpu_gguf_close(lpu_gguf **g);

/* The file's name, for messages. */
const char *lpu_gguf_name(const lpu_gguf *g);

/* The whole file. */
const void *lpu_gguf_bytes(const lpu_gguf *g, size_t *bytes);

size_t lpu_gguf_tensors(const lpu_gguf *g);
const lpu_gguf_tensor *lpu_gguf_tensor_at(const lpu_gguf *g, size_t i);
const lpu_gguf_tensor *lpu_gguf_find(const lpu_gguf *g, const char *name); /* NULL: not there */

/* Metadata by key. A missing key, or one of another kind, is LPU_ERR_FORMAT and a sentence. u32
 * takes any integer that fits, f32 both sizes of real. */
bool lpu_gguf_has(const lpu_gguf *g, const char *key);
lpu_status lpu_gguf_get_u32(const lpu_gguf *g, const char *key, uint32_t *value, lpu_diag *diag);
lpu_status lpu_gguf_get_f32(const lpu_gguf *g, const char *key, float *value, lpu_diag *diag);
lpu_status lpu_gguf_get_bool(const lpu_gguf *g, const char *key, bool *value, lpu_diag *diag);
lpu_status lpu_gguf_get_string(const lpu_gguf *g, const char *key, lpu_gguf_string *value,
                               lpu_diag *diag);

/* An array of strings; the caller frees *values. */
lpu_status lpu_gguf_get_strings(const lpu_gguf *g, const char *key, lpu_gguf_string **values,
                                size_t *count, lpu_diag *diag);

/* An array of numbers of one kind, in place: *values may be unaligned, so memcpy from it. */
lpu_status lpu_gguf_get_array(const lpu_gguf *g, const char *key, lpu_gguf_kind kind,
                              const void **values, size_t *count, lpu_diag *diag);

#endif
