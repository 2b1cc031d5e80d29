// Copies between [n, channels, size] and [n, channels / block, size, block].
#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "pk_blocks.h"

typedef struct {
  void *to;
  const void *from;
  pk_blocks blocks;
} copy_job;

// Places and channels that are transposed at a time: a tile stays in the nearest cache.
#define TILE 16

#define T uint64_t
#define NAME(x) x##_8
#include "block_copy_body.h"
#undef T
#undef NAME
#define T uint32_t
#define NAME(x) x##_4
#include "block_copy_body.h"
#undef T
#undef NAME
#define T uint16_t
#define NAME(x) x##_2
#include "block_copy_body.h"
#undef T
#undef NAME
#define T uint8_t
#define NAME(x) x##_1
#include "block_copy_body.h"
#undef T
#undef NAME

static pk_status run(pk_range_fn fn, copy_job job, int threads) {
  pk_blocks b = job.blocks;
  if (!fn) return PK_UNSUPPORTED;
  if (b.block < 1 || b.channels % b.block) return PK_INVALID;
  pk_parallel_ranges(pk_useful_threads(threads, 2 * b.n * b.channels * b.size), b.n * (b.channels / b.block), fn,
                     &job);
  return PK_OK;
}

#define CHOOSE(NAME)                                                                                         \
  (element_bytes == 8   ? NAME##_8                                                                           \
   : element_bytes == 4 ? NAME##_4                                                                           \
   : element_bytes == 2 ? NAME##_2                                                                           \
   : element_bytes == 1 ? NAME##_1                                                                           \
                        : NULL)

pk_status pk_block_pack(void *blocked, const void *plain, pk_blocks blocks, size_t element_bytes, int threads) {
  return run(CHOOSE(pack), (copy_job){blocked, plain, blocks}, threads);
}

pk_status pk_block_unpack(void *plain, const void *blocked, pk_blocks blocks, size_t element_bytes, int threads) {
  return run(CHOOSE(unpack), (copy_job){plain, blocked, blocks}, threads);
}
