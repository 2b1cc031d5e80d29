// Layer normalization, root-mean-square normalization, and their gradients.
#include "rows.h"

#define COLUMNS 64

typedef struct {
  void *y;
  const void *x, *dy, *gamma, *beta;
  float *mean, *rstd;
  void *dgamma, *dbeta;
  // [blocks, 2, n]; null where no gradient of a parameter is wanted.
  float *partial;
  int64_t rows, n, blocks;
  double epsilon;
  int centered;
} norm_job;

#define BODY "norm_body.h"
#define PARAMETERS
#include "types.h"

// Into how many blocks the rows are cut for the parameters' gradients; only the shape decides.
static int64_t block_count(int64_t rows) { return pk_max64(1, pk_min64(32, rows / 8)); }

size_t pk_norm_workspace(int64_t rows, int64_t n) {
  return (size_t)(block_count(rows) * 2 * n) * sizeof(float);
}

static pk_status forward(norm_job job, pk_dtype dtype, pk_dtype parameters, int threads) {
  PK_CHOOSE_PARAMETERS(run, norm);
  pk_parallel_ranges(pk_useful_threads(threads, 2 * job.rows * job.n), job.rows, run, &job);
  return PK_OK;
}

pk_status pk_layer_norm(void *y, float *mean, float *rstd, const void *x, const void *gamma, const void *beta,
                        int64_t rows, int64_t n, double epsilon, pk_dtype dtype, pk_dtype parameters,
                        int threads) {
  norm_job job = {.y = y,
                  .x = x,
                  .gamma = gamma,
                  .beta = beta,
                  .mean = mean,
                  .rstd = rstd,
                  .rows = rows,
                  .n = n,
                  .epsilon = epsilon,
                  .centered = 1};
  return forward(job, dtype, parameters, threads);
}

pk_status pk_rms_norm(void *y, float *rstd, const void *x, const void *gamma, int64_t rows, int64_t n,
                      double epsilon, pk_dtype dtype, pk_dtype parameters, int threads) {
  norm_job job = {.y = y, .x = x, .gamma = gamma, .rstd = rstd, .rows = rows, .n = n, .epsilon = epsilon};
  return forward(job, dtype, parameters, threads);
}

static pk_status backward(norm_job job, pk_dtype dtype, pk_dtype parameters, void *workspace, int threads) {
  PK_CHOOSE_PARAMETERS(run, norm_backward);
  PK_CHOOSE_PARAMETERS(add, add_blocks);
  job.blocks = block_count(job.rows);
  int wanted = job.dgamma || job.dbeta;
  job.partial = wanted ? workspace : NULL;
  threads = pk_useful_threads(threads, 2 * job.rows * job.n);
  pk_parallel_ranges(threads, job.blocks, run, &job);
  if (wanted) pk_parallel_ranges(threads, pk_ceil_div(job.n, COLUMNS), add, &job);
  return PK_OK;
}

pk_status pk_layer_norm_backward(void *dx, void *dgamma, void *dbeta, const void *dy, const void *x,
                                 const void *gamma, const float *mean, const float *rstd, int64_t rows,
                                 int64_t n, pk_dtype dtype, pk_dtype parameters, void *workspace,
                                 int threads) {
  norm_job job = {.y = dx,
                  .x = x,
                  .dy = dy,
                  .gamma = gamma,
                  .mean = (float *)mean,
                  .rstd = (float *)rstd,
                  .dgamma = dgamma,
                  .dbeta = dbeta,
                  .rows = rows,
                  .n = n,
                  .centered = 1};
  return backward(job, dtype, parameters, workspace, threads);
}

pk_status pk_rms_norm_backward(void *dx, void *dgamma, const void *dy, const void *x, const void *gamma,
                               const float *rstd, int64_t rows, int64_t n, pk_dtype dtype,
                               pk_dtype parameters, void *workspace, int threads) {
  norm_job job = {.y = dx,
                  .x = x,
                  .dy = dy,
                  .gamma = gamma,
                  .rstd = (float *)rstd,
                  .dgamma = dgamma,
                  .rows = rows,
                  .n = n};
  return backward(job, dtype, parameters, workspace, threads);
}
