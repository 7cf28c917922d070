/* workloads/gguf_writer.c - the tables are kept in memory until the first tensor's bytes arrive. */
#include "workloads/gguf_writer.h"
#include "workloads/checksum.h"
#include "workloads/gguf_private.h"
#include "workloads/output.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT_MAX = 4096 };

/* Bytes that grow. */
typedef struct buffer {
    uint8_t *data;
    size_t bytes, room;
    bool is_short; /* memory ran out: what follows is dropped */
} buffer;

struct lpu_gguf_writer {
    char *path;
    lpu_output *output;
    FILE *file;
    buffer values, tensors;
    uint64_t *tensor_bytes; /* (tensor_count) */
    uint64_t value_count, tensor_count, next_offset;
    uint32_t alignment;
    lpu_checksum sum; /* of what is in the file */
    bool has_begun;
    size_t current;         /* the tensor that is being written */
    uint64_t current_bytes; /* of it, written */
};

static void append(buffer *b, const void *data, size_t bytes)
{
    if (b->is_short) return;
    if (bytes > b->room - b->bytes) {
        const size_t room = 2 * (b->bytes + bytes) + 4096;
        uint8_t *more = realloc(b->data, room);
        if (!more) {
            b->is_short = true;
            return;
        }
        b->data = more;
        b->room = room;
    }
    if (bytes) memcpy(b->data + b->bytes, data, bytes);
    b->bytes += bytes;
}

static void append_u32(buffer *b, uint32_t value)
{
    append(b, &value, sizeof(value));
}
static void append_u64(buffer *b, uint64_t value)
{
    append(b, &value, sizeof(value));
}

static void append_string(buffer *b, const char *text, size_t bytes)
{
    append_u64(b, bytes);
    append(b, text, bytes);
}

static void append_key(lpu_gguf_writer *w, const char *key, lpu_gguf_kind kind)
{
    assert(!w->has_begun);
    append_string(&w->values, key, strlen(key));
    append_u32(&w->values, (uint32_t)kind);
    w->value_count++;
}

lpu_status lpu_gguf_writer_open(lpu_gguf_writer **out, const char *path, lpu_diag *diag)
{
    lpu_gguf_writer *w = calloc(1, sizeof(*w));

    *out = NULL;
    if (w) {
        w->alignment = LPU_GGUF_ALIGNMENT_BYTES;
        lpu_checksum_init(&w->sum);
        w->path = strdup(path);
    }
    if (!w || !w->path) {
        lpu_gguf_writer_close(&w);
        return lpu_fail(diag, LPU_ERR_MEMORY, "%s: out of memory", path);
    }
    lpu_status status = lpu_output_open(&w->output, path, &w->file, diag);
    if (status) lpu_gguf_writer_close(&w);
    *out = w;
    return status;
}

void lpu_gguf_writer_put_u32(lpu_gguf_writer *w, const char *key, uint32_t value)
{
    append_key(w, key, LPU_GGUF_U32);
    append_u32(&w->values, value);
}

void lpu_gguf_writer_put_f32(lpu_gguf_writer *w, const char *key, float value)
{
    append_key(w, key, LPU_GGUF_F32);
    append(&w->values, &value, sizeof(value));
}

void lpu_gguf_writer_put_string(lpu_gguf_writer *w, const char *key, const char *text)
{
    append_key(w, key, LPU_GGUF_STRING);
    append_string(&w->values, text, strlen(text));
}

void lpu_gguf_writer_put_array(lpu_gguf_writer *w, const char *key, lpu_gguf_kind kind,
                               const void *values, size_t count)
{
    assert(lpu_gguf_kind_bytes(kind));
    append_key(w, key, LPU_GGUF_ARRAY);
    append_u32(&w->values, (uint32_t)kind);
    append_u64(&w->values, count);
    append(&w->values, values, count * lpu_gguf_kind_bytes(kind));
}

void lpu_gguf_writer_begin_strings(lpu_gguf_writer *w, const char *key, size_t count)
{
    append_key(w, key, LPU_GGUF_ARRAY);
    append_u32(&w->values, LPU_GGUF_STRING);
    append_u64(&w->values, count);
}

void lpu_gguf_writer_next_string(lpu_gguf_writer *w, const char *text, size_t bytes)
{
    append_string(&w->values, text, bytes);
}

void lpu_gguf_writer_copy(lpu_gguf_writer *w, const lpu_gguf *from)
{
    static const char alignment[] = "general.alignment";

    assert(!w->has_begun);
    for (size_t i = 0; i < from->value_count; i++) {
        const lpu_gguf_value *v = &from->values[i];
        if (v->key.bytes == sizeof(alignment) - 1 &&
            !memcmp(v->key.text, alignment, v->key.bytes)) {
            continue;
        }
        append(&w->values, v->begin, v->bytes);
        w->value_count++;
    }
}

void lpu_gguf_writer_align(lpu_gguf_writer *w, uint32_t bytes)
{
    assert(!w->tensor_count && bytes && bytes <= ALIGNMENT_MAX && !(bytes & (bytes - 1)));
    lpu_gguf_writer_put_u32(w, "general.alignment", bytes);
    w->alignment = bytes;
}

uint64_t lpu_gguf_writer_declare(lpu_gguf_writer *w, const char *name, lpu_quant type,
                                 uint64_t row_elems, uint64_t rows)
{
    const lpu_quant_info *info = lpu_quants_find((uint32_t)type);
    const uint64_t bytes =
        (rows ? rows : 1) * lpu_quants_row_bytes(type, row_elems) + info->tail_bytes;
    uint64_t *more = realloc(w->tensor_bytes, (w->tensor_count + 1) * sizeof(*more));

    assert(!w->has_begun && strlen(name) <= LPU_GGUF_NAME_BYTES);
    append_string(&w->tensors, name, strlen(name));
    append_u32(&w->tensors, rows ? 2 : 1);
    append_u64(&w->tensors, row_elems);
    if (rows) append_u64(&w->tensors, rows);
    append_u32(&w->tensors, (uint32_t)type);
    append_u64(&w->tensors, w->next_offset);

    w->next_offset += (bytes + w->alignment - 1) / w->alignment * w->alignment;
    if (!more) {
        w->tensors.is_short = true;
        return bytes;
    }
    w->tensor_bytes = more;
    w->tensor_bytes[w->tensor_count++] = bytes;
    return bytes;
}

static lpu_status put_bytes(lpu_gguf_writer *w, const void *data, size_t bytes, lpu_diag *diag)
{
    lpu_checksum_add(&w->sum, data, bytes);
    if (bytes == 0 || fwrite(data, 1, bytes, w->file) == bytes) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_IO, "%s: cannot write: %s", w->path, strerror(errno));
}

/* Zeros up to the next multiple of the alignment. */
static lpu_status put_padding(lpu_gguf_writer *w, uint64_t bytes, lpu_diag *diag)
{
    static const uint8_t zeros[ALIGNMENT_MAX];
    return put_bytes(w, zeros, (size_t)(-bytes % w->alignment), diag);
}

static lpu_status begin_data(lpu_gguf_writer *w, lpu_diag *diag)
{
    buffer header = {0};

    w->has_begun = true;
    append(&header, "GGUF", 4);
    append_u32(&header, LPU_GGUF_VERSION);
    append_u64(&header, w->tensor_count);
    append_u64(&header, w->value_count);

    lpu_status status = LPU_OK;
    if (header.is_short || w->values.is_short || w->tensors.is_short) {
        status = lpu_fail(diag, LPU_ERR_MEMORY, "%s: out of memory", w->path);
    }
    if (!status) status = put_bytes(w, header.data, header.bytes, diag);
    if (!status) status = put_bytes(w, w->values.data, w->values.bytes, diag);
    if (!status) status = put_bytes(w, w->tensors.data, w->tensors.bytes, diag);
    if (!status) status = put_padding(w, header.bytes + w->values.bytes + w->tensors.bytes, diag);
    free(header.data);
    return status;
}

lpu_status lpu_gguf_writer_write(lpu_gguf_writer *w, const void *data, size_t bytes, lpu_diag *diag)
{
    lpu_status status = w->has_begun ? LPU_OK : begin_data(w, diag);

    if (status) return status;
    assert(w->current < w->tensor_count && bytes <= w->tensor_bytes[w->current] - w->current_bytes);
    status = put_bytes(w, data, bytes, diag);
    w->current_bytes += bytes;
    if (!status && w->current_bytes == w->tensor_bytes[w->current]) {
        status = put_padding(w, w->current_bytes, diag);
        w->current++;
        w->current_bytes = 0;
    }
    return status;
}

uint64_t lpu_gguf_writer_sum(const lpu_gguf_writer *w)
{
    assert(w->has_begun && !w->current_bytes);
    return lpu_checksum_read(&w->sum);
}

lpu_status lpu_gguf_writer_commit(lpu_gguf_writer **out, lpu_diag *diag)
{
    lpu_gguf_writer *w = *out;
    lpu_status status = w->has_begun ? LPU_OK : begin_data(w, diag);

    assert(w->current == w->tensor_count || status);
    if (!status) status = lpu_output_commit(&w->output, diag);
    lpu_gguf_writer_close(out);
    return status;
}

void lpu_gguf_writer_close(lpu_gguf_writer **out)
{
    lpu_gguf_writer *w = *out;

    if (!w) return;
    lpu_output_close(&w->output);
    free(w->values.data);
    free(w->tensors.data);
    free(w->tensor_bytes);
    free(w->path);
    free(w);
    *out = NULL;
}
