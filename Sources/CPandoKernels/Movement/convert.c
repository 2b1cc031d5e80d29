// Conversion of whole arrays: the steps of tile programs, a block at a time.
#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "../Tile/tile.h"
#include "pk_movement.h"

#define BLOCK 1024

typedef struct {
  char *dst;
  const char *src;
  int64_t dst_size, src_size, count;
  pk_transfer_fn load, store;
  pk_tile_fn convert;
} convert_job;

static void convert_blocks(void *context, int64_t begin, int64_t end) {
  const convert_job *job = context;
  _Alignas(64) char loaded[BLOCK * 8], converted[BLOCK * 8];
  for (int64_t block = begin; block < end; block++) {
    int64_t first = block * BLOCK, n = pk_min64(BLOCK, job->count - first);
    job->load(loaded, job->src + first * job->src_size, n, 1, 1, 0);
    const void *from = loaded;
    if (job->convert) {
      job->convert(converted, loaded, NULL, NULL, n, NULL);
      from = converted;
    }
    job->store(job->dst + first * job->dst_size, from, n, 1, 1, 0);
  }
}

pk_status pk_convert(void *dst, pk_dtype dst_type, const void *src, pk_dtype src_type, int64_t count,
                     int threads) {
  if (pk_size(dst_type) == 0 || pk_size(src_type) == 0) return PK_INVALID;
  pk_dtype from = pk_register_type(src_type), to = pk_register_type(dst_type);
  convert_job job = {.dst = dst,
                     .src = src,
                     .dst_size = (int64_t)pk_size(dst_type),
                     .src_size = (int64_t)pk_size(src_type),
                     .count = count,
                     .load = pk_load_function(src_type),
                     .store = pk_store_function(dst_type),
                     .convert = from == to ? NULL : pk_convert_function(from, to)};
  if (count <= 0) return PK_OK;
  pk_parallel_ranges(pk_useful_threads(threads, count), pk_ceil_div(count, BLOCK), convert_blocks, &job);
  return PK_OK;
}
