// Pooling. Each plane is worked on by one thread.
#include <math.h>

#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "pk_pooling.h"

typedef struct {
  void *out;
  const void *x, *dy, *t;
  pk_pool pool;
  double scale;
} pool_job;

// Outputs of a row that are worked on at a time.
#define BLOCK 256

// The outputs first ..< last for which the element `k` behind the window's first lies inside a dimension of `size` elements.
static int64_t first_inside(int64_t low, int64_t k, int64_t stride) {
  return low > k ? pk_ceil_div(low - k, stride) : 0;
}
static int64_t last_inside(int64_t low, int64_t k, int64_t stride, int64_t size, int64_t outputs) {
  int64_t space = size + low - k;
  return space > 0 ? pk_min64(outputs, pk_ceil_div(space, stride)) : 0;
}

// For outputs START ..< STOP of output row `r`: each input row that their windows see, and each column of the
// window. The statement finds that the `count` outputs from `first` on see the inputs of the plane from `at`
// on, stride apart.
#define FOR_EACH_PLACE_BETWEEN(START, STOP, ...)                                                             \
  for (int64_t kr = 0; kr < p->window[0]; kr++) {                                                            \
    int64_t row = r * p->stride[0] + kr * p->dilation[0] - p->low[0];                                        \
    if (row < 0 || row >= p->input[0]) continue;                                                             \
    for (int64_t kc = 0; kc < p->window[1]; kc++) {                                                          \
      int64_t across = kc * p->dilation[1];                                                                  \
      int64_t first = pk_max64(START, first_inside(p->low[1], across, p->stride[1]));                        \
      int64_t last = last_inside(p->low[1], across, p->stride[1], p->input[1], p->output[1]);                \
      int64_t count = pk_min64(STOP, last) - first;                                                          \
      if (count <= 0) continue;                                                                              \
      int64_t at = row * p->input[1] + first * p->stride[1] + across - p->low[1];                            \
      __VA_ARGS__;                                                                                           \
    }                                                                                                        \
  }

// The same for the whole row, block by block.
#define FOR_EACH_PLACE(...)                                                                                  \
  for (int64_t start = 0; start < p->output[1]; start += BLOCK) {                                            \
    FOR_EACH_PLACE_BETWEEN(start, start + BLOCK, __VA_ARGS__)                                                \
  }

#define EVEN(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14)

#define T float
#define INDEX int32_t
#define EIGHT eight_floats
#define NAME(x) x##_f32
typedef float eight_floats __attribute__((vector_size(32)));
#include "pool_body.h"
#undef T
#undef INDEX
#undef EIGHT
#undef NAME
#define T double
#define INDEX int64_t
#define EIGHT eight_doubles
#define NAME(x) x##_f64
typedef double eight_doubles __attribute__((vector_size(64)));
#include "pool_body.h"

// Runs over planes, where `dtype` has the function.
static pk_status run_planes(pool_job job, pk_range_fn f32, pk_range_fn f64, pk_dtype dtype, int threads) {
  const pk_pool *p = &job.pool;
  for (int d = 0; d < 2; d++) {
    if (p->window[d] < 1 || p->stride[d] < 1 || p->dilation[d] < 1) return PK_INVALID;
    if (p->input[d] < 0 || p->output[d] < 0) return PK_INVALID;
  }
  if (dtype != PK_F32 && dtype != PK_F64) return PK_UNSUPPORTED;
  // The places of float32 are kept as int32.
  if (p->input[0] * p->input[1] > INT32_MAX) return PK_INVALID;
  int64_t work =
      p->planes * (p->output[0] * p->output[1] * p->window[0] * p->window[1] / 4 + p->input[0] * p->input[1]);
  pk_parallel_ranges(pk_useful_threads(threads, work), p->planes, dtype == PK_F32 ? f32 : f64, &job);
  return PK_OK;
}

pk_status pk_max_pool(void *y, const void *x, const pk_pool *pool, pk_dtype dtype, int threads) {
  pool_job job = {.out = y, .x = x, .pool = *pool};
  return run_planes(job, max_pool_f32, max_pool_f64, dtype, threads);
}

pk_status pk_max_pool_backward(void *dx, const void *dy, const void *x, const pk_pool *pool, pk_dtype dtype,
                               int threads) {
  pool_job job = {.out = dx, .x = x, .dy = dy, .pool = *pool};
  return run_planes(job, max_places_f32, max_places_f64, dtype, threads);
}

pk_status pk_max_pool_select(void *y, const void *t, const void *x, const pk_pool *pool, pk_dtype dtype,
                             int threads) {
  pool_job job = {.out = y, .x = x, .t = t, .pool = *pool};
  return run_planes(job, max_places_f32, max_places_f64, dtype, threads);
}

pk_status pk_sum_pool(void *y, const void *x, const pk_pool *pool, double scale, pk_dtype dtype,
                      int threads) {
  pool_job job = {.out = y, .x = x, .pool = *pool, .scale = scale};
  return run_planes(job, sum_pool_f32, sum_pool_f64, dtype, threads);
}

pk_status pk_sum_pool_backward(void *dx, const void *dy, const pk_pool *pool, double scale, pk_dtype dtype,
                               int threads) {
  pool_job job = {.out = dx, .dy = dy, .pool = *pool, .scale = scale};
  return run_planes(job, sum_pool_backward_f32, sum_pool_backward_f64, dtype, threads);
}
