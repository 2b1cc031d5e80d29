// Random bits in a register: 32 bits, or the same in 64.
#include "../Random/philox.h"
#include "../Support/simd.h"
#include "tile.h"

#define PIECE 256

void pk_random_tile(void *d, int wide, uint64_t first, int64_t n, uint64_t seed, uint64_t step,
                    uint32_t stream) {
  if (!wide) {
    pk_philox_words(d, first, n, seed, step, stream);
    return;
  }
  uint32_t words[PIECE];
  for (int64_t done = 0; done < n; done += PIECE) {
    int64_t take = pk_min64(PIECE, n - done);
    pk_philox_words(words, first + (uint64_t)done, take, seed, step, stream);
    uint64_t *out = (uint64_t *)d + done;
    for (int64_t i = 0; i < take; i++) out[i] = words[i];
  }
}
