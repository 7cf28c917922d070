/* kernels/packed.h - packed files: a model with its weights as the kernels read them, so that a run
 * maps the file and begins.
 *
 * A packed file is a GGUF file of its own kind. It keeps the metadata and the norms of the portable
 * file that it was made from, and adds
 *
 *     setun.pack.version       of all that is below, and of the layouts (layout.h, screen.h)
 *     setun.pack.layout        "b3 screen": of the linear layers, and of the head
 *     setun.pack.head_trits    digits of the embedding and the head
 *     setun.pack.source        checksum of the portable file, 16 hexadecimal digits
 *     setun.pack.source_bytes  and its size
 *     NAME.weight, NAME.scales streams and scales (workloads/weights_packed.h)
 *     setun.sum                the last tensor: checksum of every byte of the file before it
 *
 * The portable file stays the one to keep: another CPU, or another version of the kernels, may want
 * another layout, and then the packed file is refused and is to be packed again.
 */
#ifndef LPU_KERNELS_PACKED_H
#define LPU_KERNELS_PACKED_H

#include "kernels/layout.h"
#include "workloads/gguf.h"
#include "workloads/weights.h"

#include <stdbool.h>

enum { LPU_PACKED_VERSION = 2 };

typedef struct lpu_packed_options {
    lpu_layout layout; /* of the linear layers: b1, t2, b3, i4, i8 */
    uint32_t head_trits;
    uint32_t threads; /* 0: all cores */
    void (*progress)(void *user, double share);
    void *user;
} lpu_packed_options;

/* Packs source into path, which appears when it is whole. */
lpu_status lpu_packed_save(const char *path, const lpu_gguf *source, const lpu_packed_options *o,
                           lpu_diag *diag);

/* Whether a file is packed. */
bool lpu_packed_is(const lpu_gguf *g);

/* Weights that lie in g, which is to be closed after them. LPU_ERR_FORMAT for another version,
 * another CPU's layout, or a byte that has changed. */
lpu_status lpu_packed_load(lpu_weights **weights, const lpu_gguf *g, uint32_t context_tokens,
                           lpu_diag *diag);

/* The layout of the linear layers of packed weights. LPU_ERR_FORMAT where the head is laid out for
 * other kernels than those that are allowed. */
lpu_status lpu_packed_layout(lpu_layout *layout, const lpu_weights *weights, uint32_t allowed,
                             lpu_diag *diag);

#endif
