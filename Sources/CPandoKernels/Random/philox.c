#include "philox.h"

#include "../Support/simd.h"

#define BLOCKS 32

PK_INLINE void philox_round(uint32_t c[4], uint32_t k0, uint32_t k1) {
  uint64_t p0 = (uint64_t)0xD2511F53u * c[0];
  uint64_t p1 = (uint64_t)0xCD9E8D57u * c[2];
  uint32_t c1 = c[1], c3 = c[3];
  c[0] = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
  c[1] = (uint32_t)p1;
  c[2] = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
  c[3] = (uint32_t)p0;
}

// The words of blocks `first ..< first + BLOCKS`, in order.
PK_LEVELS(void, philox_blocks,
          (uint32_t * words, uint64_t first, uint64_t seed, uint32_t stream, uint32_t step),
          (words, first, seed, stream, step)) {
  PK_VECTOR for (int i = 0; i < BLOCKS; i++) {
    uint64_t block = first + (uint64_t)i;
    uint32_t c[4] = {(uint32_t)block, (uint32_t)(block >> 32), stream, step};
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
#pragma clang loop unroll(full)
    for (int round = 0; round < 10; round++) {
      philox_round(c, k0, k1);
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    words[4 * i] = c[0];
    words[4 * i + 1] = c[1];
    words[4 * i + 2] = c[2];
    words[4 * i + 3] = c[3];
  }
}

void pk_philox_words(uint32_t *out, uint64_t first, int64_t count, uint64_t seed, uint64_t step,
                     uint32_t stream) {
  uint32_t words[4 * BLOCKS];
  for (int64_t done = 0; done < count;) {
    uint64_t element = first + (uint64_t)done;
    int64_t skip = (int64_t)(element % 4);
    int64_t take = pk_min64(4 * BLOCKS - skip, count - done);
    philox_blocks(words, element / 4, seed, stream, (uint32_t)step);
    memcpy(out + done, words + skip, 4 * (size_t)take);
    done += take;
  }
}
