/* workloads/gguf_private.h - an open file, as gguf.c fills it and gguf_get.c reads it. */
#ifndef LPU_WORKLOADS_GGUF_PRIVATE_H
#define LPU_WORKLOADS_GGUF_PRIVATE_H

#include "workloads/gguf.h"

typedef struct lpu_gguf_value {
    lpu_gguf_string key;
    lpu_gguf_kind kind, element; /* element: of an array */
    size_t count;                /* of an array */
    const uint8_t *data;         /* the value, or an array's first */
    const uint8_t *begin;        /* (bytes) all of it in the file, from the key on */
    size_t bytes;
} lpu_gguf_value;

struct lpu_gguf {
    char *name;
    void *mapped;        /* NULL where data is borrowed */
    const uint8_t *data; /* (bytes) */
    size_t bytes, value_count, tensor_count;
    lpu_gguf_value *values;    /* (value_count) sorted by key */
    lpu_gguf_tensor *tensors;  /* (tensor_count) as in the file */
    lpu_gguf_tensor **by_name; /* (tensor_count) sorted by name */
};

/* Bytes of a number; 0 for strings and arrays. */
size_t lpu_gguf_kind_bytes(lpu_gguf_kind kind);

#endif
