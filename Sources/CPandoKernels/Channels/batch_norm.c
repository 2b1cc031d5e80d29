// Batch normalization. A channel is worked on by one thread, which reads it while it is in the cache: once
// for the mean, once for the variance, once to normalize. Channels with few elements side by side are taken
// together in groups.
#include "../Rows/rows.h"
#include "pk_channels.h"

// Spatial sizes below this are short, and as many channels as fill a few cache lines are one group.
#define SHORT 16
#define COLUMNS 256

typedef struct {
  void *out;
  float *mean, *variance;
  const void *x, *dy, *gamma, *beta;
  const void *given_mean, *given_variance;
  void *dgamma, *dbeta;
  int64_t n, channels, size, group;
  double epsilon;
  // Whether the statistics are given rather than computed.
  int given;
} norm_job;

// The numbers of a group of channels, repeated for each of their columns.
typedef struct {
  float mean[COLUMNS], scale[COLUMNS], shift[COLUMNS], factor[COLUMNS];
} columns;

static void spread(float *columns, const float *channels, int64_t count, int64_t size) {
  for (int64_t k = 0; k < count; k++) {
    for (int64_t i = 0; i < size; i++) columns[k * size + i] = channels[k];
  }
}

// Adds up the columns of each channel, in place: sums[k] is then channel k's.
static void gather(double *sums, int64_t count, int64_t size) {
  for (int64_t k = 0; k < count; k++) {
    double total = 0;
    for (int64_t i = 0; i < size; i++) total += sums[k * size + i];
    sums[k] = total;
  }
}

#define BODY "../Channels/batch_norm_body.h"
#define PARAMETERS
#include "../Rows/types.h"

static void run_groups(pk_range_fn run, norm_job job, int threads) {
  // Longer groups read longer pieces of memory, shorter ones leave work for every thread.
  int64_t width = job.channels * job.size >= 8 * COLUMNS ? COLUMNS : COLUMNS / 4;
  job.group = job.size < SHORT ? width / pk_max64(job.size, 1) : 1;
  int64_t work = 4 * job.n * job.channels * job.size;
  pk_parallel_ranges(pk_useful_threads(threads, work), pk_ceil_div(job.channels, job.group), run, &job);
}

pk_status pk_batch_norm(void *y, float *mean, float *variance, const void *x, const void *gamma,
                        const void *beta, int64_t n, int64_t channels, int64_t size, double epsilon,
                        pk_dtype dtype, pk_dtype parameters, int threads) {
  PK_CHOOSE_PARAMETERS(run, forward);
  norm_job job = {.out = y,
                  .mean = mean,
                  .variance = variance,
                  .x = x,
                  .gamma = gamma,
                  .beta = beta,
                  .n = n,
                  .channels = channels,
                  .size = size,
                  .epsilon = epsilon};
  run_groups(run, job, threads);
  return PK_OK;
}

pk_status pk_batch_norm_backward(void *dx, void *dgamma, void *dbeta, const void *dy, const void *x,
                                 const void *gamma, const float *mean, const float *variance, int64_t n,
                                 int64_t channels, int64_t size, double epsilon, pk_dtype dtype,
                                 pk_dtype parameters, int threads) {
  PK_CHOOSE_PARAMETERS(run, backward);
  norm_job job = {.out = dx,
                  .mean = (float *)mean,
                  .variance = (float *)variance,
                  .x = x,
                  .dy = dy,
                  .gamma = gamma,
                  .dgamma = dgamma,
                  .dbeta = dbeta,
                  .n = n,
                  .channels = channels,
                  .size = size,
                  .epsilon = epsilon};
  run_groups(run, job, threads);
  return PK_OK;
}

pk_status pk_batch_norm_inference(void *y, const void *x, const void *gamma, const void *beta,
                                  const void *mean, const void *variance, int64_t n, int64_t channels,
                                  int64_t size, double epsilon, pk_dtype dtype, pk_dtype parameters,
                                  int threads) {
  PK_CHOOSE_PARAMETERS(run, forward);
  norm_job job = {.out = y,
                  .x = x,
                  .gamma = gamma,
                  .beta = beta,
                  .given_mean = mean,
                  .given_variance = variance,
                  .n = n,
                  .channels = channels,
                  .size = size,
                  .epsilon = epsilon,
                  .given = 1};
  run_groups(run, job, threads);
  return PK_OK;
}
