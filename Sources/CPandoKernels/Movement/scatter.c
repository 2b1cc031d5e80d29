// Adding rows and elements to places that an index array names. A destination element is touched by one
// thread only, which adds to it in the order of the index array: sums are the same on any number of threads.
#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "copy.h"

typedef void (*add_fn)(void *dst, const void *src, int64_t n);

#define ADD(NAME, T, WRAP)                                                                                   \
  PK_LEVELS(void, NAME, (void *dst, const void *src, int64_t n), (dst, src, n)) {                            \
    T *d = dst;                                                                                              \
    const T *s = src;                                                                                        \
    PK_VECTOR for (int64_t i = 0; i < n; i++) d[i] = (T)((WRAP)d[i] + (WRAP)s[i]);                           \
  }
ADD(add_f32, float, float)
ADD(add_f64, double, double)
ADD(add_i32, int32_t, uint32_t)
ADD(add_i64, int64_t, uint64_t)

static add_fn choose(pk_dtype type) {
  switch (type) {
    case PK_F32: return add_f32;
    case PK_F64: return add_f64;
    case PK_I32: return add_i32;
    case PK_I64: return add_i64;
    default: return NULL;
  }
}

typedef struct {
  char *dst;
  const char *src;
  const void *indices;
  pk_dtype index_type;
  int64_t outer, n, k, inner;
  int64_t element_size;
  pk_bounds bounds;
  add_fn add;
} scatter_job;

// Columns are cut at this many elements: whole cache lines, and enough work for each index that is looked at.
#define COLUMN_BLOCK 64

// Wide rows: each thread takes some of the columns of all rows.
static void add_columns(void *context, int64_t begin, int64_t end) {
  const scatter_job *job = context;
  int64_t first = begin * COLUMN_BLOCK, last = pk_min64(end * COLUMN_BLOCK, job->inner);
  for (int64_t o = 0; o < job->outer; o++) {
    for (int64_t j = 0; j < job->k; j++) {
      int64_t index = pk_bounded(pk_index_at(job->indices, job->index_type, j), job->n, job->bounds);
      if (index < 0) continue;
      job->add(job->dst + ((o * job->n + index) * job->inner + first) * job->element_size,
               job->src + ((o * job->k + j) * job->inner + first) * job->element_size, last - first);
    }
  }
}

// Narrow rows: each thread takes some of the destination's rows, and looks at all indices.
static void add_rows(void *context, int64_t begin, int64_t end) {
  const scatter_job *job = context;
  for (int64_t o = 0; o < job->outer; o++) {
    for (int64_t j = 0; j < job->k; j++) {
      int64_t index = pk_bounded(pk_index_at(job->indices, job->index_type, j), job->n, job->bounds);
      if (index < begin || index >= end) continue;
      job->add(job->dst + (o * job->n + index) * job->inner * job->element_size,
               job->src + (o * job->k + j) * job->inner * job->element_size, job->inner);
    }
  }
}

pk_status pk_scatter_add_rows(void *dst, const void *src, const void *indices, pk_dtype index_type,
                              int64_t outer, int64_t n, int64_t k, int64_t row, pk_dtype dtype,
                              pk_bounds bounds, int threads) {
  add_fn add = choose(dtype);
  if (!add || (index_type != PK_I32 && index_type != PK_I64)) return PK_UNSUPPORTED;
  scatter_job job = {dst, src, indices, index_type, outer, n, k, row, (int64_t)pk_size(dtype), bounds, add};
  threads = pk_useful_threads(threads, outer * k * row);
  if (row >= 2 * COLUMN_BLOCK) {
    pk_parallel_ranges(threads, pk_ceil_div(row, COLUMN_BLOCK), add_columns, &job);
  } else {
    pk_parallel_ranges(threads, n, add_rows, &job);
  }
  return PK_OK;
}

// Each thread takes some of the [outer, inner] positions.
static void add_along(void *context, int64_t begin, int64_t end) {
  const scatter_job *job = context;
  while (begin < end) {
    int64_t o = begin / job->inner, first = begin % job->inner;
    int64_t last = pk_min64(job->inner, first + end - begin);
    for (int64_t j = 0; j < job->k; j++) {
      for (int64_t i = first; i < last; i++) {
        int64_t place = (o * job->k + j) * job->inner + i;
        int64_t index = pk_bounded(pk_index_at(job->indices, job->index_type, place), job->n, job->bounds);
        if (index < 0) continue;
        job->add(job->dst + ((o * job->n + index) * job->inner + i) * job->element_size,
                 job->src + place * job->element_size, 1);
      }
    }
    begin += last - first;
  }
}

pk_status pk_add_along(void *dst, const void *src, const void *indices, pk_dtype index_type, int64_t outer,
                       int64_t n, int64_t k, int64_t inner, pk_dtype dtype, pk_bounds bounds, int threads) {
  add_fn add = choose(dtype);
  if (!add || (index_type != PK_I32 && index_type != PK_I64)) return PK_UNSUPPORTED;
  scatter_job job = {dst, src, indices, index_type, outer, n, k, inner, (int64_t)pk_size(dtype), bounds, add};
  pk_parallel_ranges(pk_useful_threads(threads, outer * k * inner), outer * inner, add_along, &job);
  return PK_OK;
}
