// Where the largest or the smallest element is.
#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "keys.h"
#include "pk_reduction.h"

typedef struct {
  char *dst;
  const char *src;
  pk_dtype index_type, dtype;
  int64_t n, inner;
  int smallest;
} arg_job;

#define COLUMNS 256
#define BLOCK 512

static void put(const arg_job *job, int64_t place, int64_t index) {
  if (job->index_type == PK_I32) ((int32_t *)(void *)job->dst)[place] = (int32_t)index;
  else ((int64_t *)(void *)job->dst)[place] = index;
}

PK_LEVELS(uint64_t, largest, (const uint64_t *keys, int64_t n), (keys, n)) {
  uint64_t best = 0;
  for (int64_t i = 0; i < n; i++) best = keys[i] > best ? keys[i] : best;
  return best;
}

// Contiguous rows: the largest key of a block, and only where it is a new best, its place.
static void run_rows(void *context, int64_t begin, int64_t end) {
  const arg_job *job = context;
  uint64_t keys[BLOCK];
  int64_t size = (int64_t)pk_size(job->dtype);
  for (int64_t row = begin; row < end; row++) {
    uint64_t best = 0;
    int64_t index = -1;
    for (int64_t first = 0; first < job->n; first += BLOCK) {
      int64_t n = pk_min64(BLOCK, job->n - first);
      pk_order_keys(keys, job->src + (row * job->n + first) * size, 1, n, job->dtype, job->smallest);
      uint64_t candidate = largest(keys, n);
      if (index >= 0 && candidate <= best) continue;
      best = candidate;
      for (index = 0; keys[index] != best;) index++;
      index += first;
    }
    put(job, row, index);
  }
}

PK_LEVELS(void, update, (uint64_t * best, int64_t *index, const uint64_t *keys, int64_t i, int64_t n),
          (best, index, keys, i, n)) {
  for (int64_t c = 0; c < n; c++) {
    int better = keys[c] > best[c];
    best[c] = better ? keys[c] : best[c];
    index[c] = better ? i : index[c];
  }
}

// Blocks of neighbouring columns.
static void run_columns(void *context, int64_t begin, int64_t end) {
  const arg_job *job = context;
  uint64_t keys[COLUMNS], best[COLUMNS];
  int64_t index[COLUMNS];
  int64_t blocks = pk_ceil_div(job->inner, COLUMNS), size = (int64_t)pk_size(job->dtype);
  for (int64_t item = begin; item < end; item++) {
    int64_t outer = item / blocks, first = item % blocks * COLUMNS;
    int64_t columns = pk_min64(COLUMNS, job->inner - first);
    for (int64_t i = 0; i < job->n; i++) {
      const char *x = job->src + ((outer * job->n + i) * job->inner + first) * size;
      pk_order_keys(i == 0 ? best : keys, x, 1, columns, job->dtype, job->smallest);
      if (i == 0) memset(index, 0, sizeof index);
      else update(best, index, keys, i, columns);
    }
    for (int64_t c = 0; c < columns; c++) put(job, outer * job->inner + first + c, index[c]);
  }
}

pk_status pk_arg_extremum(void *dst, pk_dtype index_type, const void *src, pk_dtype dtype, int64_t outer,
                          int64_t n, int64_t inner, int smallest, int threads) {
  if (pk_size(dtype) == 0 || n < 1) return PK_INVALID;
  if (index_type != PK_I32 && index_type != PK_I64) return PK_UNSUPPORTED;
  arg_job job = {dst, src, index_type, dtype, n, inner, smallest};
  threads = pk_useful_threads(threads, outer * n * inner);
  if (inner == 1) pk_parallel_ranges(threads, outer, run_rows, &job);
  else pk_parallel_ranges(threads, outer * pk_ceil_div(inner, COLUMNS), run_columns, &job);
  return PK_OK;
}
