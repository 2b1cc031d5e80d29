// Filling, padding, and boxes at places that are known only when the program runs.
#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "copy.h"

typedef struct {
  char *dst;
  int64_t count;
  uint64_t pattern;
  size_t element_size;
} fill_job;

#define FILL_BLOCK 32768

PK_LEVELS(void, fill_words, (char *dst, uint64_t pattern, int64_t words), (dst, pattern, words)) {
  for (int64_t i = 0; i < words; i++) memcpy(dst + 8 * i, &pattern, 8);
}

// Bytes begin ..< end, in blocks of FILL_BLOCK, each a multiple of eight but the last.
static void run_fill(void *context, int64_t begin, int64_t end) {
  const fill_job *job = context;
  int64_t first = begin * FILL_BLOCK, bytes = job->count * (int64_t)job->element_size;
  int64_t last = pk_min64(end * FILL_BLOCK, bytes);
  fill_words(job->dst + first, job->pattern, (last - first) / 8);
  int64_t rest = (last - first) % 8;
  memcpy(job->dst + last - rest, &job->pattern, (size_t)rest);
}

pk_status pk_fill(void *dst, int64_t count, const void *value, size_t element_size, int threads) {
  if (element_size != 1 && element_size != 2 && element_size != 4 && element_size != 8) return PK_INVALID;
  if (count <= 0) return PK_OK;
  fill_job job = {dst, count, 0, element_size};
  for (size_t i = 0; i < 8; i += element_size) memcpy((char *)&job.pattern + i, value, element_size);
  int64_t bytes = count * (int64_t)element_size;
  pk_parallel_ranges(pk_useful_threads(threads, bytes / 4), pk_ceil_div(bytes, FILL_BLOCK), run_fill, &job);
  return PK_OK;
}

static int64_t count_of(const int64_t *shape, int rank) {
  int64_t count = 1;
  for (int d = 0; d < rank; d++) count *= shape[d];
  return count;
}

pk_status pk_pad(void *dst, const int64_t *dst_shape, const void *src, const int64_t *src_shape,
                 const int64_t *low, const int64_t *interior, int rank, const void *value,
                 size_t element_size, int threads) {
  if (rank < 0 || rank > PK_MAX_RANK) return PK_INVALID;
  int64_t dst_strides[PK_MAX_RANK], src_strides[PK_MAX_RANK], shape[PK_MAX_RANK];
  pk_dense_strides(dst_strides, dst_shape, rank);
  pk_dense_strides(src_strides, src_shape, rank);
  int64_t dst_offset = 0, src_offset = 0;
  int covered = 1;
  for (int d = 0; d < rank; d++) {
    int64_t step = interior[d] + 1;
    if (step < 1) return PK_INVALID;
    // Source elements first ..< last land inside: at low + i * step.
    int64_t first = low[d] < 0 ? pk_ceil_div(-low[d], step) : 0;
    int64_t space = dst_shape[d] - low[d];
    int64_t last = space > 0 ? pk_min64(src_shape[d], pk_ceil_div(space, step)) : 0;
    shape[d] = pk_max64(last - first, 0);
    covered &= shape[d] == dst_shape[d];
    dst_offset += (low[d] + first * step) * dst_strides[d];
    src_offset += first * src_strides[d];
    dst_strides[d] *= step;
  }
  if (!covered) {
    pk_status status = pk_fill(dst, count_of(dst_shape, rank), value, element_size, threads);
    if (status != PK_OK) return status;
  }
  if (count_of(shape, rank) == 0) return PK_OK;
  return pk_copy_strided((char *)dst + dst_offset * (int64_t)element_size, dst_strides,
                         (const char *)src + src_offset * (int64_t)element_size, src_strides, shape, rank,
                         element_size, threads);
}

// Where the box of `shape` that is to begin at `starts` lies in an array of `whole`.
static int64_t clamped_offset(const int64_t *whole, const int64_t *strides, const int64_t *shape,
                              const int64_t *starts, int rank) {
  int64_t offset = 0;
  for (int d = 0; d < rank; d++) {
    int64_t start = pk_max64(0, pk_min64(starts[d], whole[d] - shape[d]));
    offset += start * strides[d];
  }
  return offset;
}

static pk_status check_box(const int64_t *whole, const int64_t *shape, int rank) {
  if (rank < 0 || rank > PK_MAX_RANK) return PK_INVALID;
  for (int d = 0; d < rank; d++) {
    if (shape[d] > whole[d]) return PK_INVALID;
  }
  return PK_OK;
}

pk_status pk_dynamic_slice(void *dst, const int64_t *dst_shape, const void *src, const int64_t *src_shape,
                           const int64_t *starts, int rank, size_t element_size, int threads) {
  if (check_box(src_shape, dst_shape, rank) != PK_OK) return PK_INVALID;
  int64_t dst_strides[PK_MAX_RANK], src_strides[PK_MAX_RANK];
  pk_dense_strides(dst_strides, dst_shape, rank);
  pk_dense_strides(src_strides, src_shape, rank);
  int64_t offset = clamped_offset(src_shape, src_strides, dst_shape, starts, rank) * (int64_t)element_size;
  return pk_copy_strided(dst, dst_strides, (const char *)src + offset, src_strides, dst_shape, rank,
                         element_size, threads);
}

pk_status pk_dynamic_update(void *dst, const int64_t *dst_shape, const void *src, const int64_t *src_shape,
                            const int64_t *starts, int rank, size_t element_size, int threads) {
  if (check_box(dst_shape, src_shape, rank) != PK_OK) return PK_INVALID;
  int64_t dst_strides[PK_MAX_RANK], src_strides[PK_MAX_RANK];
  pk_dense_strides(dst_strides, dst_shape, rank);
  pk_dense_strides(src_strides, src_shape, rank);
  int64_t offset = clamped_offset(dst_shape, dst_strides, src_shape, starts, rank) * (int64_t)element_size;
  return pk_copy_strided((char *)dst + offset, dst_strides, src, src_strides, src_shape, rank, element_size,
                         threads);
}
