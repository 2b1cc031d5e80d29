// Random bits in a register: 32 bits, or the same in 64.
#include "../Random/philox.h"
#include "../Support/simd.h"
#include "../Support/parallel.h"
#include "pk_tile.h"
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

typedef struct {
  int32_t *dst;
  const int64_t *box, *whole, *starts;
  int outer;
  int64_t run;
  uint64_t seed, step;
  uint32_t stream;
  int rank;
} random_box;

// Draws the stretches begin ..< end, each of which lies in one piece in the whole array too.
static void random_runs(void *context, int64_t begin, int64_t end) {
  const random_box *x = context;
  for (int64_t i = begin; i < end; i++) {
    int64_t rest = i, stride = 1, first = 0;
    for (int d = x->rank - 1; d >= 0; d--) {
      int64_t place = x->starts[d];
      if (d < x->outer) {
        place += rest % x->box[d];
        rest /= x->box[d];
      }
      first += place * stride;
      stride *= x->whole[d];
    }
    pk_random_tile(x->dst + i * x->run, 0, (uint64_t)first, x->run, x->seed, x->step, x->stream);
  }
}

pk_status pk_random_box(int32_t *dst, const int64_t *box, const int64_t *whole, const int64_t *starts,
                        int rank, uint64_t seed, uint64_t step, uint32_t stream, int threads) {
  if (rank < 0) return PK_INVALID;
  random_box x = {dst, box, whole, starts, rank, 1, seed, step, stream, rank};
  for (int d = 0; d < rank; d++)
    if (box[d] < 0 || starts[d] < 0 || starts[d] > whole[d] - box[d]) return PK_INVALID;
  while (x.outer > 0) {
    x.run *= box[--x.outer];
    if (box[x.outer] != whole[x.outer]) break;
  }
  int64_t count = 1;
  for (int d = 0; d < x.outer; d++) count *= box[d];
  if (x.run == 0) return PK_OK;
  pk_parallel_ranges(pk_useful_threads(threads, count * x.run), count, random_runs, &x);
  return PK_OK;
}
