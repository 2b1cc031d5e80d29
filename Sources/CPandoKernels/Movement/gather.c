// Rows and elements at places that an index array names.
#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "copy.h"

typedef struct {
  char *dst;
  const char *src;
  const void *indices;
  pk_dtype index_type;
  int64_t outer, n, k, inner;
  int64_t element_size;
  pk_bounds bounds;
} gather_job;

static int is_index(pk_dtype type) { return type == PK_I32 || type == PK_I64; }

static void gather_rows(void *context, int64_t begin, int64_t end) {
  const gather_job *job = context;
  int64_t bytes = job->inner * job->element_size;
  for (int64_t item = begin; item < end; item++) {
    int64_t outer = item / job->k, j = item % job->k;
    int64_t index = pk_bounded(pk_index_at(job->indices, job->index_type, j), job->n, job->bounds);
    char *d = job->dst + item * bytes;
    if (index < 0) memset(d, 0, (size_t)bytes);
    else if (bytes == 4) memcpy(d, job->src + (outer * job->n + index) * 4, 4);
    else memcpy(d, job->src + (outer * job->n + index) * bytes, (size_t)bytes);
  }
}

pk_status pk_gather_rows(void *dst, const void *src, const void *indices, pk_dtype index_type, int64_t outer,
                         int64_t n, int64_t k, int64_t row, size_t element_size, pk_bounds bounds,
                         int threads) {
  if (!is_index(index_type)) return PK_UNSUPPORTED;
  gather_job job = {dst, src, indices, index_type, outer, n, k, row, (int64_t)element_size, bounds};
  pk_parallel_ranges(pk_useful_threads(threads, outer * k * row), outer * k, gather_rows, &job);
  return PK_OK;
}

// Elements of one outer index and a block of the last dimension are one item.
static void take_along(void *context, int64_t begin, int64_t end) {
  const gather_job *job = context;
  for (int64_t item = begin; item < end; item++) {
    int64_t outer = item / job->k;
    for (int64_t i = 0; i < job->inner; i++) {
      int64_t place = item * job->inner + i;
      int64_t index = pk_bounded(pk_index_at(job->indices, job->index_type, place), job->n, job->bounds);
      char *d = job->dst + place * job->element_size;
      const char *s = job->src + ((outer * job->n + index) * job->inner + i) * job->element_size;
      if (index < 0) memset(d, 0, (size_t)job->element_size);
      else if (job->element_size == 4) memcpy(d, s, 4);
      else memcpy(d, s, (size_t)job->element_size);
    }
  }
}

pk_status pk_take_along(void *dst, const void *src, const void *indices, pk_dtype index_type, int64_t outer,
                        int64_t n, int64_t k, int64_t inner, size_t element_size, pk_bounds bounds,
                        int threads) {
  if (!is_index(index_type)) return PK_UNSUPPORTED;
  gather_job job = {dst, src, indices, index_type, outer, n, k, inner, (int64_t)element_size, bounds};
  pk_parallel_ranges(pk_useful_threads(threads, outer * k * inner), outer * k, take_along, &job);
  return PK_OK;
}
