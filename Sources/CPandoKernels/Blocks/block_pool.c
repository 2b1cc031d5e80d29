// Pooling of channels in blocks: an element of a plane is a block of channels side by side, and loops run along it.
#include <math.h>

#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "pk_blocks.h"

typedef struct {
  float *out;
  const float *x, *dy;
  pk_pool pool;
  int64_t block;
} pool_job;

// Channels that are worked on at a time.
#define LANES 8

// For each output place of a plane and each input place that its window sees: `to` and `from` are their numbers.
#define FOR_EACH_WINDOW(...)                                                                                 \
  for (int64_t r = 0; r < p->output[0]; r++) {                                                               \
    for (int64_t c = 0; c < p->output[1]; c++) {                                                             \
      int64_t to = r * p->output[1] + c;                                                                     \
      __VA_ARGS__                                                                                            \
    }                                                                                                        \
  }
#define FOR_EACH_PLACE(...)                                                                                  \
  for (int64_t kr = 0; kr < p->window[0]; kr++) {                                                            \
    int64_t row = r * p->stride[0] + kr * p->dilation[0] - p->low[0];                                        \
    if (row < 0 || row >= p->input[0]) continue;                                                             \
    for (int64_t kc = 0; kc < p->window[1]; kc++) {                                                          \
      int64_t column = c * p->stride[1] + kc * p->dilation[1] - p->low[1];                                   \
      if (column < 0 || column >= p->input[1]) continue;                                                     \
      int64_t from = row * p->input[1] + column;                                                             \
      __VA_ARGS__                                                                                            \
    }                                                                                                        \
  }

// Eight channels of one window: the largest, and where it lies; -1 where the window lies outside.
PK_INLINE void find(const pk_pool *p, const float *x, int64_t block, int64_t r, int64_t c, float *best,
                    int32_t *place) {
  for (int lane = 0; lane < LANES; lane++) {
    best[lane] = -INFINITY;
    place[lane] = -1;
  }
  FOR_EACH_PLACE({
    const float *at = x + from * block;
    for (int lane = 0; lane < LANES; lane++) {
      float v = at[lane], b = best[lane];
      int32_t q = place[lane];
      // The first NaN wins, then the first of the largest.
      int better = (q < 0) | (v > b) | ((v != v) & (b == b));
      best[lane] = better ? v : b;
      place[lane] = better ? (int32_t)from : q;
    }
  })
}

PK_CLONES static void max_pool(void *context, int64_t begin, int64_t end) {
  const pool_job *job = context;
  const pk_pool *p = &job->pool;
  for (int64_t plane = begin; plane < end; plane++) {
    const float *x = job->x + plane * p->input[0] * p->input[1] * job->block;
    float *y = job->out + plane * p->output[0] * p->output[1] * job->block;
    FOR_EACH_WINDOW({
      for (int64_t lane = 0; lane < job->block; lane += LANES) {
        float best[LANES];
        int32_t place[LANES];
        find(p, x + lane, job->block, r, c, best, place);
        memcpy(y + to * job->block + lane, best, sizeof best);
      }
    })
  }
}

PK_CLONES static void max_pool_backward(void *context, int64_t begin, int64_t end) {
  const pool_job *job = context;
  const pk_pool *p = &job->pool;
  int64_t inputs = p->input[0] * p->input[1] * job->block;
  for (int64_t plane = begin; plane < end; plane++) {
    const float *x = job->x + plane * inputs;
    const float *dy = job->dy + plane * p->output[0] * p->output[1] * job->block;
    float *dx = job->out + plane * inputs;
    memset(dx, 0, (size_t)inputs * sizeof *dx);
    FOR_EACH_WINDOW({
      for (int64_t lane = 0; lane < job->block; lane += LANES) {
        float best[LANES];
        int32_t place[LANES];
        find(p, x + lane, job->block, r, c, best, place);
        const float *d = dy + to * job->block + lane;
        for (int k = 0; k < LANES; k++) {
          if (place[k] >= 0) dx[place[k] * job->block + lane + k] += d[k];
        }
      }
    })
  }
}

PK_CLONES static void sum_pool(void *context, int64_t begin, int64_t end) {
  const pool_job *job = context;
  const pk_pool *p = &job->pool;
  for (int64_t plane = begin; plane < end; plane++) {
    const float *x = job->x + plane * p->input[0] * p->input[1] * job->block;
    float *y = job->out + plane * p->output[0] * p->output[1] * job->block;
    FOR_EACH_WINDOW({
      float *sum = y + to * job->block;
      memset(sum, 0, (size_t)job->block * sizeof *sum);
      FOR_EACH_PLACE({
        for (int64_t lane = 0; lane < job->block; lane++) sum[lane] += x[from * job->block + lane];
      })
    })
  }
}

PK_CLONES static void sum_pool_backward(void *context, int64_t begin, int64_t end) {
  const pool_job *job = context;
  const pk_pool *p = &job->pool;
  int64_t inputs = p->input[0] * p->input[1] * job->block;
  for (int64_t plane = begin; plane < end; plane++) {
    const float *dy = job->dy + plane * p->output[0] * p->output[1] * job->block;
    float *dx = job->out + plane * inputs;
    memset(dx, 0, (size_t)inputs * sizeof *dx);
    FOR_EACH_WINDOW({
      const float *d = dy + to * job->block;
      FOR_EACH_PLACE({
        for (int64_t lane = 0; lane < job->block; lane++) dx[from * job->block + lane] += d[lane];
      })
    })
  }
}

static pk_status run(pk_range_fn fn, pool_job job, pk_dtype dtype, int threads) {
  const pk_pool *p = &job.pool;
  for (int d = 0; d < 2; d++) {
    if (p->window[d] < 1 || p->stride[d] < 1 || p->dilation[d] < 1) return PK_INVALID;
    if (p->input[d] < 0 || p->output[d] < 0) return PK_INVALID;
  }
  if (dtype != PK_F32 || job.block < LANES || job.block % LANES) return PK_UNSUPPORTED;
  if (p->input[0] * p->input[1] > INT32_MAX) return PK_INVALID;
  int64_t places = p->output[0] * p->output[1] * p->window[0] * p->window[1] / 4 + p->input[0] * p->input[1];
  pk_parallel_ranges(pk_useful_threads(threads, p->planes * places * job.block), p->planes, fn, &job);
  return PK_OK;
}

pk_status pk_block_max_pool(void *y, const void *x, const pk_pool *pool, int64_t block, pk_dtype dtype,
                            int threads) {
  return run(max_pool, (pool_job){.out = y, .x = x, .pool = *pool, .block = block}, dtype, threads);
}

pk_status pk_block_max_pool_backward(void *dx, const void *dy, const void *x, const pk_pool *pool, int64_t block,
                                     pk_dtype dtype, int threads) {
  return run(max_pool_backward, (pool_job){.out = dx, .x = x, .dy = dy, .pool = *pool, .block = block}, dtype,
             threads);
}

pk_status pk_block_sum_pool(void *y, const void *x, const pk_pool *pool, int64_t block, pk_dtype dtype,
                            int threads) {
  return run(sum_pool, (pool_job){.out = y, .x = x, .pool = *pool, .block = block}, dtype, threads);
}

pk_status pk_block_sum_pool_backward(void *dx, const void *dy, const pk_pool *pool, int64_t block, pk_dtype dtype,
                                     int threads) {
  return run(sum_pool_backward, (pool_job){.out = dx, .dy = dy, .pool = *pool, .block = block}, dtype, threads);
}
