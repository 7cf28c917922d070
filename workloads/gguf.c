/* workloads/gguf.c - opens a GGUF file: reads the tables and checks them before anything is used.
 */
#include "workloads/gguf.h"
#include "workloads/gguf_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEADER_BYTES = 24,
    VALUE_MIN_BYTES = 14,  /* a key of one letter and a byte */
    TENSOR_MIN_BYTES = 25, /* a name of one letter and no dimensions */
    KEY_MAX_BYTES = 65535, /* GGUF specification: 2^16 - 1 */
    ALIGNMENT_MAX = 1 << 20,
};

/* A place in the file. The first failure is told in diag and ends the reading. */
typedef struct cursor {
    const lpu_gguf *g;
    size_t at;
    lpu_diag *diag;
} cursor;

__attribute__((format(printf, 3, 4))) static lpu_status fail_at(const cursor *c, size_t at,
                                                                const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    lpu_fail(c->diag, LPU_ERR_FORMAT, "%s: byte %zu: %s", c->g->name, at, text);
    return LPU_ERR_FORMAT;
}

/* The next bytes, stepped over; NULL and a sentence where the file ends before. */
static const uint8_t *take(cursor *c, uint64_t bytes, const char *what)
{
    const size_t left = c->g->bytes - c->at;
    const uint8_t *p = c->g->data + c->at;

    if (bytes > left) {
        fail_at(c, c->at, "%s takes %" PRIu64 " bytes, and the file ends after %zu", what, bytes,
                left);
        return NULL;
    }
    c->at += (size_t)bytes;
    return p;
}

static lpu_status take_u32(cursor *c, const char *what, uint32_t *value)
{
    const uint8_t *p = take(c, sizeof(*value), what);
    if (!p) return LPU_ERR_FORMAT;
    memcpy(value, p, sizeof(*value));
    return LPU_OK;
}

static lpu_status take_u64(cursor *c, const char *what, uint64_t *value)
{
    const uint8_t *p = take(c, sizeof(*value), what);
    if (!p) return LPU_ERR_FORMAT;
    memcpy(value, p, sizeof(*value));
    return LPU_OK;
}

static lpu_status take_string(cursor *c, const char *what, lpu_gguf_string *s)
{
    uint64_t bytes;
    if (take_u64(c, what, &bytes)) return LPU_ERR_FORMAT;
    s->text = (const char *)take(c, bytes, what);
    s->bytes = (size_t)bytes;
    return s->text ? LPU_OK : LPU_ERR_FORMAT;
}

/* A key or a name: printable, so that it can be shown to a person as it stands. */
static lpu_status take_name(cursor *c, const char *what, size_t max_bytes, lpu_gguf_string *s)
{
    const size_t at = c->at;
    lpu_status status = take_string(c, what, s);

    if (status) return status;
    if (s->bytes == 0 || s->bytes > max_bytes) {
        return fail_at(c, at, "%s is %zu bytes long, expected 1 to %zu", what, s->bytes, max_bytes);
    }
    for (size_t i = 0; i < s->bytes; i++) {
        if (s->text[i] <= ' ' || s->text[i] > '~') {
            return fail_at(c, at, "%s has byte 0x%02x in it, expected printable ASCII", what,
                           (unsigned)(uint8_t)s->text[i]);
        }
    }
    return LPU_OK;
}

static lpu_status take_kind(cursor *c, lpu_gguf_kind *kind)
{
    const size_t at = c->at;
    uint32_t number;
    lpu_status status = take_u32(c, "the kind of a value", &number);

    if (status) return status;
    if (number >= LPU_GGUF_KINDS) {
        return fail_at(c, at, "a value of kind %" PRIu32 ", expected 0 to %d", number,
                       LPU_GGUF_KINDS - 1);
    }
    *kind = (lpu_gguf_kind)number;
    return LPU_OK;
}

static lpu_status read_array(cursor *c, lpu_gguf_value *v)
{
    const size_t at = c->at;
    uint64_t count, bytes;
    lpu_status status = take_kind(c, &v->element);

    if (!status) status = take_u64(c, "the length of an array", &count);
    if (status) return status;
    if (v->element == LPU_GGUF_ARRAY) {
        return fail_at(c, at, "%.*s is an array of arrays, expected numbers or strings",
                       (int)v->key.bytes, v->key.text);
    }
    /* A string takes 8 bytes at least; this also bounds count. */
    const uint64_t each = v->element == LPU_GGUF_STRING ? 8 : lpu_gguf_kind_bytes(v->element);
    if (__builtin_mul_overflow(count, each, &bytes) || bytes > c->g->bytes - c->at) {
        return fail_at(c, at,
                       "%.*s is an array of %" PRIu64 " values, more than the %zu bytes that are "
                       "left can hold",
                       (int)v->key.bytes, v->key.text, count, c->g->bytes - c->at);
    }
    v->count = (size_t)count;
    v->data = c->g->data + c->at;
    if (v->element != LPU_GGUF_STRING) {
        return take(c, bytes, "an array") ? LPU_OK : LPU_ERR_FORMAT;
    }

    for (uint64_t i = 0; i < count && !status; i++) {
        lpu_gguf_string s;
        status = take_string(c, "a string of an array", &s);
    }
    return status;
}

static lpu_status read_value(cursor *c, lpu_gguf_value *v)
{
    lpu_gguf_string s;
    lpu_status status = take_name(c, "a key", KEY_MAX_BYTES, &v->key);

    if (!status) status = take_kind(c, &v->kind);
    if (status) return status;
    v->data = c->g->data + c->at;
    if (v->kind == LPU_GGUF_ARRAY) return read_array(c, v);
    if (v->kind == LPU_GGUF_STRING) return take_string(c, "a string", &s);
    return take(c, lpu_gguf_kind_bytes(v->kind), "a value") ? LPU_OK : LPU_ERR_FORMAT;
}

static lpu_status read_dims(cursor *c, lpu_gguf_tensor *t, uint64_t *elems)
{
    const size_t at = c->at;
    lpu_status status = take_u32(c, "the dimensions of a tensor", &t->dims);

    if (status) return status;
    if (t->dims > LPU_GGUF_DIMS) {
        return fail_at(c, at, "tensor %s has %" PRIu32 " dimensions, expected 0 to %d", t->name,
                       t->dims, LPU_GGUF_DIMS);
    }
    *elems = 1;
    for (uint32_t i = 0; i < LPU_GGUF_DIMS; i++) {
        t->elems[i] = 1;
        if (i < t->dims) status = take_u64(c, "a dimension of a tensor", &t->elems[i]);
        if (status) return status;
        if (t->elems[i] == 0) return fail_at(c, at, "tensor %s has a dimension of 0", t->name);
        if (__builtin_mul_overflow(*elems, t->elems[i], elems)) {
            return fail_at(c, at, "tensor %s has more than 2^64 elements", t->name);
        }
    }
    return LPU_OK;
}

/* Sizes a tensor: t->bytes from its type and its elements. */
static lpu_status read_type(cursor *c, lpu_gguf_tensor *t, uint64_t elems)
{
    const size_t at = c->at;
    uint32_t number;
    lpu_status status = take_u32(c, "the type of a tensor", &number);

    if (status) return status;
    const lpu_quant_info *info = lpu_quants_find(number);
    if (!info) {
        return fail_at(
            c, at,
            "tensor %s has type %" PRIu32 ", expected F32 (0), F16 (1), Q4_0 (2), Q8_0 "
            "(8), Q4_K (12), Q6_K (14), I8 (24), BF16 (30), TQ1_0 (34), TQ2_0 (35), I2_S (36) or "
            "Q1_0 (41)",
            t->name, number);
    }
    if (t->elems[0] % info->block_elems) {
        return fail_at(c, at,
                       "tensor %s has rows of %" PRIu64 ", expected a multiple of %zu for %s",
                       t->name, t->elems[0], info->block_elems, info->name);
    }
    t->type = info->type;
    if (__builtin_mul_overflow(elems / info->block_elems, info->block_bytes, &t->bytes) ||
        __builtin_add_overflow(t->bytes, info->tail_bytes, &t->bytes)) {
        return fail_at(c, at, "tensor %s has more than 2^64 bytes", t->name);
    }
    return LPU_OK;
}

static lpu_status read_tensor(cursor *c, lpu_gguf_tensor *t)
{
    lpu_gguf_string name;
    uint64_t elems = 1;
    lpu_status status = take_name(c, "the name of a tensor", LPU_GGUF_NAME_BYTES, &name);

    if (status) return status;
    memcpy(t->name, name.text, name.bytes); /* the handle is zeroed: it ends here */

    status = read_dims(c, t, &elems);
    if (!status) status = read_type(c, t, elems);
    if (!status) status = take_u64(c, "the offset of a tensor", &t->offset_bytes);
    return status;
}

static lpu_status read_header(cursor *c, uint64_t *tensors, uint64_t *values)
{
    const uint8_t *magic = take(c, 4, "the magic");
    uint32_t version;

    if (!magic) return LPU_ERR_FORMAT;
    if (memcmp(magic, "GGUF", 4)) {
        const char *hint = memcmp(magic, "FUGG", 4) ? "" : ": a big-endian file";
        return fail_at(c, 0, "the file begins with %02x %02x %02x %02x, expected \"GGUF\"%s",
                       magic[0], magic[1], magic[2], magic[3], hint);
    }
    if (take_u32(c, "the version", &version)) return LPU_ERR_FORMAT;
    if (__builtin_bswap32(version) >= 1 && __builtin_bswap32(version) <= LPU_GGUF_VERSION) {
        return fail_at(c, 4, "the file is big-endian, expected a little-endian one");
    }
    if (version != 2 && version != LPU_GGUF_VERSION) {
        return fail_at(c, 4, "version %" PRIu32 ", expected 2 or %d", version, LPU_GGUF_VERSION);
    }
    if (take_u64(c, "the count of tensors", tensors) ||
        take_u64(c, "the count of values", values)) {
        return LPU_ERR_FORMAT;
    }

    const size_t left = c->g->bytes - c->at;
    if (*tensors > left / TENSOR_MIN_BYTES || *values > left / VALUE_MIN_BYTES) {
        return fail_at(c, 8,
                       "%" PRIu64 " tensors and %" PRIu64 " values, more than the %zu bytes that "
                       "follow can hold",
                       *tensors, *values, left);
    }
    return LPU_OK;
}

static int compare_strings(const lpu_gguf_string *a, const lpu_gguf_string *b)
{
    const int order = memcmp(a->text, b->text, a->bytes < b->bytes ? a->bytes : b->bytes);
    return order ? order : (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

static int compare_values(const void *a, const void *b)
{
    return compare_strings(&((const lpu_gguf_value *)a)->key, &((const lpu_gguf_value *)b)->key);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(lpu_gguf_tensor *const *)a)->name, (*(lpu_gguf_tensor *const *)b)->name);
}

static int compare_offsets(const void *a, const void *b)
{
    const uint64_t x = (*(lpu_gguf_tensor *const *)a)->offset_bytes;
    const uint64_t y = (*(lpu_gguf_tensor *const *)b)->offset_bytes;
    return (x > y) - (x < y);
}

/* Sorts the metadata by key, for look-ups, and finds twins. */
static lpu_status index_values(lpu_gguf *g, lpu_diag *diag)
{
    qsort(g->values, g->value_count, sizeof(*g->values), compare_values);
    for (size_t i = 1; i < g->value_count; i++) {
        if (!compare_values(&g->values[i - 1], &g->values[i])) {
            return lpu_fail(diag, LPU_ERR_FORMAT, "%s: key %.*s is there twice", g->name,
                            (int)g->values[i].key.bytes, g->values[i].key.text);
        }
    }
    return LPU_OK;
}

static lpu_status index_tensors(lpu_gguf *g, lpu_diag *diag)
{
    for (size_t i = 0; i < g->tensor_count; i++) g->by_name[i] = &g->tensors[i];

    qsort(g->by_name, g->tensor_count, sizeof(*g->by_name), compare_offsets);
    for (size_t i = 1; i < g->tensor_count; i++) {
        const lpu_gguf_tensor *t = g->by_name[i - 1], *next = g->by_name[i];
        if (t->bytes > next->offset_bytes - t->offset_bytes) {
            return lpu_fail(
                diag, LPU_ERR_FORMAT,
                "%s: byte %" PRIu64 ": tensor %s begins inside tensor %s, which is %" PRIu64
                " bytes from byte %" PRIu64 " on",
                g->name, next->offset_bytes, next->name, t->name, t->bytes, t->offset_bytes);
        }
    }
    qsort(g->by_name, g->tensor_count, sizeof(*g->by_name), compare_names);
    for (size_t i = 1; i < g->tensor_count; i++) {
        if (!compare_names(&g->by_name[i - 1], &g->by_name[i])) {
            return lpu_fail(diag, LPU_ERR_FORMAT, "%s: tensor %s is there twice", g->name,
                            g->by_name[i]->name);
        }
    }
    return LPU_OK;
}

/* Turns offsets within the data into offsets within the file, and finds what lies outside. */
static lpu_status place_tensors(lpu_gguf *g, const cursor *c)
{
    uint32_t alignment = LPU_GGUF_ALIGNMENT_BYTES;

    if (lpu_gguf_has(g, "general.alignment")) {
        lpu_status status = lpu_gguf_get_u32(g, "general.alignment", &alignment, c->diag);
        if (status) return status;
        if (alignment < 1 || alignment > ALIGNMENT_MAX || (alignment & (alignment - 1))) {
            return lpu_fail(c->diag, LPU_ERR_FORMAT,
                            "%s: general.alignment is %" PRIu32
                            ", expected a power of two up to %d",
                            g->name, alignment, ALIGNMENT_MAX);
        }
    }
    const size_t begin = (c->at + alignment - 1) / alignment * alignment;
    for (size_t i = 0; i < g->tensor_count; i++) {
        lpu_gguf_tensor *t = &g->tensors[i];
        uint64_t end;
        if (t->offset_bytes % alignment) {
            return fail_at(c, c->at,
                           "tensor %s has offset %" PRIu64 ", expected a multiple of %" PRIu32,
                           t->name, t->offset_bytes, alignment);
        }
        if (__builtin_add_overflow(t->offset_bytes, begin, &t->offset_bytes) ||
            __builtin_add_overflow(t->offset_bytes, t->bytes, &end) || end > g->bytes) {
            return fail_at(c, c->at,
                           "tensor %s is %" PRIu64 " bytes from byte %" PRIu64
                           " on, and the file ends at byte %zu",
                           t->name, t->bytes, t->offset_bytes, g->bytes);
        }
        t->data = g->data + t->offset_bytes;
    }
    return LPU_OK;
}

static lpu_status read_tables(lpu_gguf *g, lpu_diag *diag)
{
    cursor c = {g, 0, diag};
    uint64_t tensors = 0, values = 0;
    lpu_status status = read_header(&c, &tensors, &values);

    if (status) return status;
    g->values = calloc((size_t)values + 1, sizeof(*g->values));
    g->tensors = calloc((size_t)tensors + 1, sizeof(*g->tensors));
    g->by_name = calloc((size_t)tensors + 1, sizeof(*g->by_name));
    if (!g->values || !g->tensors || !g->by_name) {
        return lpu_fail(diag, LPU_ERR_MEMORY, "%s: out of memory", g->name);
    }
    for (; g->value_count < values && !status; g->value_count++) {
        lpu_gguf_value *v = &g->values[g->value_count];
        v->begin = g->data + c.at;
        status = read_value(&c, v);
        v->bytes = (size_t)(g->data + c.at - v->begin);
    }
    for (; g->tensor_count < tensors && !status; g->tensor_count++) {
        status = read_tensor(&c, &g->tensors[g->tensor_count]);
    }
    if (!status) status = index_values(g, diag);
    if (!status) status = place_tensors(g, &c);
    if (!status) status = index_tensors(g, diag);
    return status;
}

lpu_status lpu_gguf_parse(lpu_gguf **out, const char *name, const void *data, size_t bytes,
                          lpu_diag *diag)
{
    lpu_gguf *g = calloc(1, sizeof(*g));

    *out = NULL;
    if (g) g->name = strdup(name);
    if (!g || !g->name) {
        free(g);
        return lpu_fail(diag, LPU_ERR_MEMORY, "%s: out of memory", name);
    }
    g->data = data;
    g->bytes = bytes;

    lpu_status status = read_tables(g, diag);
    if (status) lpu_gguf_close(&g);
    *out = g;
    return status;
}

/* Maps the whole file; it has at least a header. */
static lpu_status map_file(const char *path, void **data, size_t *bytes, lpu_diag *diag)
{
    struct stat info;
    lpu_status status = LPU_OK;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) return lpu_fail(diag, LPU_ERR_IO, "%s: cannot open: %s", path, strerror(errno));
    if (fstat(fd, &info)) {
        status = lpu_fail(diag, LPU_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
    } else if (!S_ISREG(info.st_mode)) {
        status = lpu_fail(diag, LPU_ERR_IO, "%s: not a file, expected a GGUF file", path);
    } else if (info.st_size < HEADER_BYTES) {
        status =
            lpu_fail(diag, LPU_ERR_FORMAT, "%s: %lld bytes, expected a GGUF file of %d or more",
                     path, (long long)info.st_size, HEADER_BYTES);
    } else {
        *bytes = (size_t)info.st_size;
        *data = mmap(NULL, *bytes, PROT_READ, MAP_PRIVATE, fd, 0);
        if (*data == MAP_FAILED) {
            status = lpu_fail(diag, LPU_ERR_IO, "%s: cannot map: %s", path, strerror(errno));
        }
    }
    close(fd);
    return status;
}

lpu_status lpu_gguf_open(lpu_gguf **out, const char *path, lpu_diag *diag)
{
    void *data = NULL;
    size_t bytes = 0;
    lpu_status status = map_file(path, &data, &bytes, diag);

    *out = NULL;
    if (status) return status;
    status = lpu_gguf_parse(out, path, data, bytes, diag);
    if (status) munmap(data, bytes);
    else (*out)->mapped = data;
    return status;
}

void lpu_gguf_close(lpu_gguf **out)
{
    lpu_gguf *g = *out;

    if (!g) return;
    if (g->mapped) munmap(g->mapped, g->bytes);
    free(g->values);
    free(g->tensors);
    free(g->by_name);
    free(g->name);
    free(g);
    *out = NULL;
}
