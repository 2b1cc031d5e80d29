// Batch normalization of channels in blocks. Each sample's part of a group of channels is summed up by itself, and
// these sums are added in the order of the samples, so that the bits do not depend on who computed what. Where
// there are groups enough, one thread takes a group through all steps, while it is in the cache.
#include <math.h>

#include "../Support/half.h"
#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "pk_blocks.h"

typedef struct {
  void *out, *masked;
  float *mean, *variance;
  const void *x, *y, *dy, *residual, *gamma, *beta, *given_mean, *given_variance;
  void *dgamma, *dbeta;
  pk_blocks blocks;
  pk_dtype parameters;
  pk_mask mask;
  int rectifies;
  double epsilon;
  // Two sums for each sample and channel.
  double *sums;
  // Four numbers for each channel, with which the last sweep works.
  float *numbers;
  int64_t lanes;
  void (*sum)(const void *, int64_t, int64_t);
  void (*apply)(const void *, int64_t, int64_t);
  void (*combine)(const void *, int64_t);
} norm_job;

static float parameter(const void *values, pk_dtype dtype, int64_t c) {
  return dtype == PK_F32 ? ((const float *)values)[c] : pk_from_bf16(((const uint16_t *)values)[c]);
}

static void put_parameter(void *values, pk_dtype dtype, int64_t c, double value) {
  if (dtype == PK_F32) ((float *)values)[c] = (float)value;
  else ((uint16_t *)values)[c] = pk_to_bf16((float)value);
}

// The two sums of a sample's part of a channel.
static double *sums_of(const norm_job *job, int64_t sample, int64_t channel) {
  return job->sums + 2 * (sample * job->blocks.channels + channel);
}

// Sums of samples to mean and variance; `sums` are a part's sum and its squared deviations from its own mean.
static void combine_forward(const void *context, int64_t group) {
  const norm_job *job = context;
  int64_t size = job->blocks.size;
  double elements = (double)(job->blocks.n * size);
  for (int64_t c = group * job->lanes; c < (group + 1) * job->lanes; c++) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < job->blocks.n; i++) sum += sums_of(job, i, c)[0];
    double mean = sum / elements;
    for (int64_t i = 0; i < job->blocks.n; i++) {
      const double *part = sums_of(job, i, c);
      double distance = part[0] / (double)size - mean;
      squares += part[1] + distance * distance * (double)size;
    }
    job->mean[c] = (float)mean;
    job->variance[c] = (float)(squares / elements);
  }
}

// What the affine sweep works with: mean, scale and shift.
static void prepare_forward(const norm_job *job, int64_t group) {
  int64_t channels = job->blocks.channels;
  for (int64_t c = group * job->lanes; c < (group + 1) * job->lanes; c++) {
    double variance = job->variance ? job->variance[c] : parameter(job->given_variance, job->parameters, c);
    job->numbers[c] = job->mean ? job->mean[c] : parameter(job->given_mean, job->parameters, c);
    job->numbers[channels + c] = (float)(parameter(job->gamma, job->parameters, c) / sqrt(variance + job->epsilon));
    if (job->beta) job->numbers[2 * channels + c] = parameter(job->beta, job->parameters, c);
  }
}

static void combine_forward_and_prepare(const void *context, int64_t group) {
  const norm_job *job = context;
  if (job->variance) combine_forward(context, group);
  prepare_forward(job, group);
}

static void combine_backward(const void *context, int64_t group) {
  const norm_job *job = context;
  int64_t channels = job->blocks.channels;
  double elements = (double)(job->blocks.n * job->blocks.size);
  for (int64_t c = group * job->lanes; c < (group + 1) * job->lanes; c++) {
    double sum = 0, product = 0;
    for (int64_t i = 0; i < job->blocks.n; i++) {
      sum += sums_of(job, i, c)[0];
      product += sums_of(job, i, c)[1];
    }
    double rstd = 1.0 / sqrt((double)job->variance[c] + job->epsilon);
    put_parameter(job->dgamma, job->parameters, c, product * rstd);
    put_parameter(job->dbeta, job->parameters, c, sum);
    job->numbers[3 * channels + c] = (float)(sum / elements);
    job->numbers[4 * channels + c] = (float)(product * rstd * rstd / elements);
  }
}

// Where a group's part of a sample begins, in elements.
static int64_t start_of(const norm_job *job, int64_t sample, int64_t group) {
  pk_blocks b = job->blocks;
  int64_t channel = group * job->lanes;
  return (sample * (b.channels / b.block) + channel / b.block) * b.size * b.block + channel % b.block;
}

#define S float
#define NARROW 0
#define LANES 16
#define NAME(x) x##_f32_16
#include "block_norm_body.h"
#undef LANES
#undef NAME
#define LANES 8
#define NAME(x) x##_f32_8
#include "block_norm_body.h"
#undef S
#undef NARROW
#undef LANES
#undef NAME
#define S uint16_t
#define NARROW 1
#define LANES 16
#define NAME(x) x##_bf16_16
#include "block_norm_body.h"
#undef LANES
#undef NAME
#define LANES 8
#define NAME(x) x##_bf16_8
#include "block_norm_body.h"
#undef S
#undef NARROW
#undef LANES
#undef NAME

// Item: a group of channels.
static void run_groups(void *context, int64_t begin, int64_t end) {
  const norm_job *job = context;
  for (int64_t group = begin; group < end; group++) {
    for (int64_t i = 0; job->sum && i < job->blocks.n; i++) job->sum(job, i, group);
    job->combine(job, group);
    for (int64_t i = 0; i < job->blocks.n; i++) job->apply(job, i, group);
  }
}

// Item: a sample's part of a group.
static void run_sums(void *context, int64_t begin, int64_t end) {
  const norm_job *job = context;
  int64_t groups = job->blocks.channels / job->lanes;
  for (int64_t item = begin; item < end; item++) job->sum(job, item / groups, item % groups);
}
static void run_apply(void *context, int64_t begin, int64_t end) {
  const norm_job *job = context;
  int64_t groups = job->blocks.channels / job->lanes;
  for (int64_t item = begin; item < end; item++) job->apply(job, item / groups, item % groups);
}

static pk_status run(norm_job *job, int threads) {
  pk_blocks b = job->blocks;
  int64_t groups = b.channels / job->lanes;
  int team = pk_useful_threads(threads, 4 * b.n * b.channels * b.size);
  // One thread more or less with an equal share of whole groups, or shares of samples.
  if (groups % team == 0 || groups >= 4 * team) {
    pk_parallel_ranges(team, groups, run_groups, job);
    return PK_OK;
  }
  if (job->sum) pk_parallel_ranges(team, b.n * groups, run_sums, job);
  for (int64_t group = 0; group < groups; group++) job->combine(job, group);
  pk_parallel_ranges(team, b.n * groups, run_apply, job);
  return PK_OK;
}

// Sets what depends on the sizes; nonzero where they are none that the kernels know.
static int settle(norm_job *job, pk_dtype dtype, void *workspace) {
  pk_blocks b = job->blocks;
  if (dtype != PK_F32 && dtype != PK_BF16) return 1;
  if (job->parameters != PK_F32 && job->parameters != dtype) return 1;
  if (b.block < 8 || b.block % 8 || b.channels % b.block) return 1;
  job->lanes = b.block % 16 ? 8 : 16;
  job->numbers = workspace;
  job->sums = (double *)((char *)workspace + (size_t)b.channels * 8 * sizeof(float));
  return 0;
}

size_t pk_block_norm_workspace(pk_blocks b) {
  return (size_t)b.channels * 8 * sizeof(float) + (size_t)(b.n * b.channels) * 2 * sizeof(double);
}

#define CHOOSE(NAME)                                                                                         \
  (dtype == PK_F32 ? job.lanes == 16 ? NAME##_f32_16 : NAME##_f32_8                                          \
                   : job.lanes == 16 ? NAME##_bf16_16 : NAME##_bf16_8)

pk_status pk_block_norm(void *y, float *mean, float *variance, const void *x, const void *gamma,
                        const void *beta, const void *residual, int rectifies, pk_blocks blocks, double epsilon,
                        pk_dtype dtype, pk_dtype parameters, void *workspace, int threads) {
  norm_job job = {.out = y,
                  .mean = mean,
                  .variance = variance,
                  .x = x,
                  .gamma = gamma,
                  .beta = beta,
                  .residual = residual,
                  .rectifies = rectifies,
                  .blocks = blocks,
                  .epsilon = epsilon,
                  .parameters = parameters};
  if (settle(&job, dtype, workspace)) return PK_UNSUPPORTED;
  job.sum = CHOOSE(part_moments);
  job.combine = combine_forward_and_prepare;
  job.apply = CHOOSE(affine);
  return run(&job, threads);
}

pk_status pk_block_norm_inference(void *y, const void *x, const void *gamma, const void *beta, const void *mean,
                                  const void *variance, const void *residual, int rectifies, pk_blocks blocks,
                                  double epsilon, pk_dtype dtype, pk_dtype parameters, void *workspace, int threads) {
  norm_job job = {.out = y,
                  .given_mean = mean,
                  .given_variance = variance,
                  .x = x,
                  .gamma = gamma,
                  .beta = beta,
                  .residual = residual,
                  .rectifies = rectifies,
                  .blocks = blocks,
                  .epsilon = epsilon,
                  .parameters = parameters};
  if (settle(&job, dtype, workspace)) return PK_UNSUPPORTED;
  job.combine = combine_forward_and_prepare;
  job.apply = CHOOSE(affine);
  return run(&job, threads);
}

pk_status pk_block_norm_backward(void *dx, void *dgamma, void *dbeta, void *masked, const void *dy, const void *x,
                                 const void *y, const void *gamma, const void *beta, const float *mean,
                                 const float *variance, pk_mask mask, pk_blocks blocks, double epsilon,
                                 pk_dtype dtype, pk_dtype parameters, void *workspace, int threads) {
  norm_job job = {.out = dx,
                  .masked = masked,
                  .mean = (float *)mean,
                  .variance = (float *)variance,
                  .x = x,
                  .y = y,
                  .dy = dy,
                  .gamma = gamma,
                  .beta = beta,
                  .dgamma = dgamma,
                  .dbeta = dbeta,
                  .mask = mask,
                  .blocks = blocks,
                  .epsilon = epsilon,
                  .parameters = parameters};
  if (settle(&job, dtype, workspace)) return PK_UNSUPPORTED;
  // The mask is recomputed from the very numbers of the forward sweep, which the first step needs already.
  for (int64_t group = 0; group < blocks.channels / job.lanes; group++) prepare_forward(&job, group);
  job.sum = CHOOSE(part_products);
  job.combine = combine_backward;
  job.apply = CHOOSE(input_gradient);
  return run(&job, threads);
}
