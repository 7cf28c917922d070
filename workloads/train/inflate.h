/* workloads/train/inflate.h - unpacks a zlib stream (RFC 1950, RFC 1951). */
#ifndef LPU_WORKLOADS_TRAIN_INFLATE_H
#define LPU_WORKLOADS_TRAIN_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Unpacks the stream at in into exactly out_bytes at out; *used is its length with header and check
 * sum. false unless it is whole, gives that many bytes, and they have its Adler-32. */
bool lpu_inflate_run(uint8_t *out, size_t out_bytes, const uint8_t *in, size_t in_bytes,
                     size_t *used);

#endif
