/* workloads/gguf_get.c - what an open GGUF file holds: tensors by name, metadata by key. */
#include "workloads/gguf_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t bytes;
} kinds[LPU_GGUF_KINDS] = {
    [LPU_GGUF_U8] = {"uint8", 1},      [LPU_GGUF_I8] = {"int8", 1},
    [LPU_GGUF_U16] = {"uint16", 2},    [LPU_GGUF_I16] = {"int16", 2},
    [LPU_GGUF_U32] = {"uint32", 4},    [LPU_GGUF_I32] = {"int32", 4},
    [LPU_GGUF_F32] = {"float32", 4},   [LPU_GGUF_BOOL] = {"bool", 1},
    [LPU_GGUF_STRING] = {"string", 0}, [LPU_GGUF_ARRAY] = {"array", 0},
    [LPU_GGUF_U64] = {"uint64", 8},    [LPU_GGUF_I64] = {"int64", 8},
    [LPU_GGUF_F64] = {"float64", 8},
};

size_t lpu_gguf_kind_bytes(lpu_gguf_kind kind)
{
    return kinds[kind].bytes;
}

const char *lpu_gguf_name(const lpu_gguf *g)
{
    return g->name;
}

const void *lpu_gguf_bytes(const lpu_gguf *g, size_t *bytes)
{
    *bytes = g->bytes;
    return g->data;
}

size_t lpu_gguf_tensors(const lpu_gguf *g)
{
    return g->tensor_count;
}

const lpu_gguf_tensor *lpu_gguf_tensor_at(const lpu_gguf *g, size_t i)
{
    assert(i < g->tensor_count);
    return &g->tensors[i];
}

const lpu_gguf_tensor *lpu_gguf_find(const lpu_gguf *g, const char *name)
{
    size_t first = 0, end = g->tensor_count;
    while (first < end) {
        const size_t middle = first + (end - first) / 2;
        const int order = strcmp(g->by_name[middle]->name, name);
        if (order == 0) return g->by_name[middle];
        if (order < 0) first = middle + 1;
        else end = middle;
    }
    return NULL;
}

static const lpu_gguf_value *find_value(const lpu_gguf *g, const char *key)
{
    const size_t bytes = strlen(key);
    size_t first = 0, end = g->value_count;

    while (first < end) {
        const size_t middle = first + (end - first) / 2;
        const lpu_gguf_string *k = &g->values[middle].key;
        int order = memcmp(k->text, key, k->bytes < bytes ? k->bytes : bytes);
        if (order == 0) order = (k->bytes > bytes) - (k->bytes < bytes);
        if (order == 0) return &g->values[middle];
        if (order < 0) first = middle + 1;
        else end = middle;
    }
    return NULL;
}

bool lpu_gguf_has(const lpu_gguf *g, const char *key)
{
    return find_value(g, key) != NULL;
}

static lpu_status need_value(const lpu_gguf *g, const char *key, const char *expected,
                             const lpu_gguf_value **v, lpu_diag *diag)
{
    *v = find_value(g, key);
    if (*v) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_FORMAT, "%s: key %s is missing, expected %s", g->name, key,
                    expected);
}

static lpu_status fail_kind(const lpu_gguf *g, const lpu_gguf_value *v, const char *expected,
                            lpu_diag *diag)
{
    const bool is_array = v->kind == LPU_GGUF_ARRAY;
    return lpu_fail(diag, LPU_ERR_FORMAT, "%s: byte %zu: key %.*s is %s%s, expected %s", g->name,
                    (size_t)(v->data - g->data), (int)v->key.bytes, v->key.text,
                    is_array ? "an array of " : "", kinds[is_array ? v->element : v->kind].name,
                    expected);
}

/* Any integer as 64 bits; negative ones are told apart. */
static bool read_integer(const lpu_gguf_value *v, uint64_t *value, bool *is_negative)
{
    const size_t bytes = kinds[v->kind].bytes;
    const bool is_signed = v->kind == LPU_GGUF_I8 || v->kind == LPU_GGUF_I16 ||
                           v->kind == LPU_GGUF_I32 || v->kind == LPU_GGUF_I64;
    const bool is_unsigned = v->kind == LPU_GGUF_U8 || v->kind == LPU_GGUF_U16 ||
                             v->kind == LPU_GGUF_U32 || v->kind == LPU_GGUF_U64;

    if (!is_signed && !is_unsigned) return false;
    *value = 0;
    memcpy(value, v->data, bytes);
    *is_negative = is_signed && (*value >> (8 * bytes - 1) & 1);
    return true;
}

lpu_status lpu_gguf_get_u32(const lpu_gguf *g, const char *key, uint32_t *value, lpu_diag *diag)
{
    const lpu_gguf_value *v;
    const char *expected = "an integer from 0 to 4294967295";
    uint64_t wide;
    bool is_negative;
    lpu_status status = need_value(g, key, expected, &v, diag);

    if (status) return status;
    if (!read_integer(v, &wide, &is_negative)) return fail_kind(g, v, expected, diag);
    if (is_negative || wide > UINT32_MAX) {
        return lpu_fail(diag, LPU_ERR_FORMAT, "%s: byte %zu: key %s is %s, expected %s", g->name,
                        (size_t)(v->data - g->data), key, is_negative ? "negative" : "2^32 or more",
                        expected);
    }
    *value = (uint32_t)wide;
    return LPU_OK;
}

lpu_status lpu_gguf_get_f32(const lpu_gguf *g, const char *key, float *value, lpu_diag *diag)
{
    const lpu_gguf_value *v;
    lpu_status status = need_value(g, key, "a real number", &v, diag);

    if (status) return status;
    if (v->kind == LPU_GGUF_F32) {
        memcpy(value, v->data, sizeof(*value));
    } else if (v->kind == LPU_GGUF_F64) {
        double wide;
        memcpy(&wide, v->data, sizeof(wide));
        *value = (float)wide;
    } else {
        return fail_kind(g, v, "a real number", diag);
    }
    return LPU_OK;
}

/* The string at p, which open has checked; *after is where the next one begins. */
static lpu_gguf_string string_at(const uint8_t *p, const uint8_t **after)
{
    uint64_t bytes;
    memcpy(&bytes, p, sizeof(bytes));
    *after = p + sizeof(bytes) + bytes;
    return (lpu_gguf_string){(const char *)p + sizeof(bytes), (size_t)bytes};
}

lpu_status lpu_gguf_get_bool(const lpu_gguf *g, const char *key, bool *value, lpu_diag *diag)
{
    const lpu_gguf_value *v;
    lpu_status status = need_value(g, key, "true or false", &v, diag);

    if (status) return status;
    if (v->kind != LPU_GGUF_BOOL) return fail_kind(g, v, "true or false", diag);
    *value = *v->data != 0;
    return LPU_OK;
}

lpu_status lpu_gguf_get_string(const lpu_gguf *g, const char *key, lpu_gguf_string *value,
                               lpu_diag *diag)
{
    const lpu_gguf_value *v;
    const uint8_t *after;
    lpu_status status = need_value(g, key, "a string", &v, diag);

    if (status) return status;
    if (v->kind != LPU_GGUF_STRING) return fail_kind(g, v, "a string", diag);
    *value = string_at(v->data, &after);
    return LPU_OK;
}

lpu_status lpu_gguf_get_strings(const lpu_gguf *g, const char *key, lpu_gguf_string **values,
                                size_t *count, lpu_diag *diag)
{
    const lpu_gguf_value *v;
    lpu_status status = need_value(g, key, "an array of strings", &v, diag);

    *values = NULL;
    *count = 0;
    if (status) return status;
    if (v->kind != LPU_GGUF_ARRAY || v->element != LPU_GGUF_STRING) {
        return fail_kind(g, v, "an array of strings", diag);
    }
    *values = calloc(v->count + 1, sizeof(**values));
    if (!*values) return lpu_fail(diag, LPU_ERR_MEMORY, "%s: out of memory", g->name);

    const uint8_t *p = v->data;
    for (size_t i = 0; i < v->count; i++) (*values)[i] = string_at(p, &p);
    *count = v->count;
    return LPU_OK;
}

lpu_status lpu_gguf_get_array(const lpu_gguf *g, const char *key, lpu_gguf_kind kind,
                              const void **values, size_t *count, lpu_diag *diag)
{
    const lpu_gguf_value *v;
    lpu_status status = need_value(g, key, "an array", &v, diag);

    assert(kinds[kind].bytes);
    *values = NULL;
    *count = 0;
    if (status) return status;
    if (v->kind != LPU_GGUF_ARRAY || v->element != kind) {
        char expected[64] = "an array of ";
        strcat(expected, kinds[kind].name);
        return fail_kind(g, v, expected, diag);
    }
    *values = v->data;
    *count = v->count;
    return LPU_OK;
}
