/* workloads/checksum.h - a 64-bit sum that tells whether bytes are still the same.
 *
 * Words of 8 bytes go round eight lanes, lane = (lane ^ word) * odd, and the lanes are folded into
 * one in the same way. Every step can be undone, so a change within one word is always seen; others
 * slip through once in 2^64. It guards against accidents, not against people.
 */
#ifndef LPU_WORKLOADS_CHECKSUM_H
#define LPU_WORKLOADS_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

enum { LPU_CHECKSUM_LANES = 8, LPU_CHECKSUM_LINE_BYTES = 64 };

typedef struct lpu_checksum {
    uint64_t lanes[LPU_CHECKSUM_LANES];
    uint64_t bytes;
    uint8_t  rest[LPU_CHECKSUM_LINE_BYTES]; /* of a line that is not full */
} lpu_checksum;

void lpu_checksum_init(lpu_checksum *s);

/* The next bytes; pieces of any size give the same sum. */
void lpu_checksum_add(lpu_checksum *s, const void *data, size_t bytes);

/* The sum of what was added so far; s may go on. */
uint64_t lpu_checksum_read(const lpu_checksum *s);

#endif
