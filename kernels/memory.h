/* kernels/memory.h - large blocks for weights: zeroed, page-aligned, on huge pages where they are
 * to be had. A stream through 4 KiB pages pays for its address translations. */
#ifndef LPU_KERNELS_MEMORY_H
#define LPU_KERNELS_MEMORY_H

#include <stddef.h>

/* NULL when there is none. bytes 0 gives a block too. */
void *lpu_memory_open(size_t bytes);

/* The same bytes as at open. NULL is welcome. */
void lpu_memory_close(void *block, size_t bytes);

#endif
