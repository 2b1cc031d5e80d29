// Philox 4x32-10, many counters at a time. `pk_tile.h` defines the numbers.
#ifndef PK_PHILOX_H
#define PK_PHILOX_H

#include <stdint.h>

// Words `first ..< first + count` of a stream at a step.
void pk_philox_words(uint32_t *out, uint64_t first, int64_t count, uint64_t seed, uint64_t step,
                     uint32_t stream);

#endif
