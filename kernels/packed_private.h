/* kernels/packed_private.h - what the writer and the reader of packed files share. */
#ifndef LPU_KERNELS_PACKED_PRIVATE_H
#define LPU_KERNELS_PACKED_PRIVATE_H

#include "kernels/layout.h"
#include "workloads/model.h"

#include <stdint.h>

#define LPU_PACKED_SUM "setun.sum"

enum { LPU_PACKED_NAME_BYTES = 32, LPU_PACKED_ALIGNMENT_BYTES = 4096 };

/* "b3 columns screen": the layout of the linear layers, whether one is by columns, and the layout
 * of the head, where these kernels run. */
void lpu_packed_name(char name[LPU_PACKED_NAME_BYTES], const lpu_model *m, lpu_layout layout,
                     uint32_t allowed);

#endif
