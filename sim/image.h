/* sim/image.h - what lies in the LPU's memory before it starts: a model's weights by the layout.
 *
 * Matrices in tile order, gains, head chunks with their row scales, rope rows, final norm; caches
 * are zero. Numbers are little-endian; a scale is its mantissa, then its exponent.
 */
#ifndef LPU_SIM_IMAGE_H
#define LPU_SIM_IMAGE_H

#include "sim/layout.h"
#include "workloads/weights.h"

#include <stdint.h>

typedef struct lpu_image {
    uint8_t *bytes;
    uint64_t size_bytes;
} lpu_image;

/* The layout is one of the weights' model. LPU_ERR_RANGE and a sentence where the design does not
 * add trits, or holds the head in another number of digits than the weights. */
lpu_status lpu_image_open(lpu_image *image, const lpu_layout *layout, const lpu_weights *weights,
                          lpu_diag *diag);
void lpu_image_close(lpu_image *image);

#endif
