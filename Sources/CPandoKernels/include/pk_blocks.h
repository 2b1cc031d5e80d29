/// Tensors whose channels lie in blocks: arrays [n, channels / block, size, block], where size is the product of
/// the spatial dimensions. With one block that holds all channels this is channels-last.
///
/// Where nothing else is said, the block is a multiple of 8; anything else returns `PK_UNSUPPORTED`. `dtype` is `PK_F32` or `PK_BF16`,
/// `parameters` (the type of gamma, beta and their gradients) `dtype` or `PK_F32`. Statistics are float32, summed
/// in float64. Results are the same on any number of threads.
#ifndef PK_BLOCKS_H
#define PK_BLOCKS_H

#include <stddef.h>

#include "pk_pooling.h"
#include "pk_types.h"

/// The sizes of a tensor in blocks.
typedef struct pk_blocks {
  int64_t n, channels, size, block;
} pk_blocks;

/// Brings [n, channels, size] into blocks; the block may be any that divides the channels. Elements are of 1, 2, 4
/// or 8 bytes; anything else returns `PK_UNSUPPORTED`.
pk_status pk_block_pack(void *blocked, const void *plain, pk_blocks blocks, size_t element_bytes, int threads);

/// The reverse.
pk_status pk_block_unpack(void *plain, const void *blocked, pk_blocks blocks, size_t element_bytes, int threads);

/// Which elements of a cotangent pass a rectifier.
typedef enum pk_mask {
  /// All.
  PK_MASK_NONE = 0,
  /// Those whose rectified result, given as `y`, is not 0 or less.
  PK_MASK_RESULT = 1,
  /// Those whose normalized `x` is not 0 or less, which is computed once more.
  PK_MASK_RECOMPUTED = 2,
} pk_mask;

/// Bytes of workspace for a norm.
size_t pk_block_norm_workspace(pk_blocks blocks);

/// Batch normalization in training (Ioffe, Szegedy, 2015), and what often follows:
/// `y = (x - mean) / sqrt(variance + epsilon) * gamma + beta + residual`, where `rectifies` with 0 in place of what is
/// below, with the mean and the biased variance of each channel over n and size, which are written.
///
/// `residual` may be null. `y` may be `x` or `residual`.
pk_status pk_block_norm(void *y, float *mean, float *variance, const void *x, const void *gamma,
                        const void *beta, const void *residual, int rectifies, pk_blocks blocks, double epsilon,
                        pk_dtype dtype, pk_dtype parameters, void *workspace, int threads);

/// The same with statistics that are given, of type `parameters`.
pk_status pk_block_norm_inference(void *y, const void *x, const void *gamma, const void *beta, const void *mean,
                                  const void *variance, const void *residual, int rectifies, pk_blocks blocks,
                                  double epsilon, pk_dtype dtype, pk_dtype parameters, void *workspace, int threads);

/// Gradients of the training form. `dy` is the cotangent of the result, of which `mask` says what passed the
/// rectifier; `masked`, which may be null, gets what is left of it, the cotangent of the residual. `y` is only read
/// for `PK_MASK_RESULT`, `beta` for `PK_MASK_RECOMPUTED`. `dx` and `masked` may be `dy`, or `dx` may be `x`.
pk_status pk_block_norm_backward(void *dx, void *dgamma, void *dbeta, void *masked, const void *dy, const void *x,
                                 const void *y, const void *gamma, const void *beta, const float *mean,
                                 const float *variance, pk_mask mask, pk_blocks blocks, double epsilon,
                                 pk_dtype dtype, pk_dtype parameters, void *workspace, int threads);

/// Pooling as in `pk_pooling.h`, of planes whose elements are `block` channels side by side: `planes` of the pooling
/// counts these planes, n times channels / block. `dtype` is `PK_F32` only.
pk_status pk_block_max_pool(void *y, const void *x, const pk_pool *pool, int64_t block, pk_dtype dtype, int threads);
pk_status pk_block_max_pool_backward(void *dx, const void *dy, const void *x, const pk_pool *pool, int64_t block,
                                     pk_dtype dtype, int threads);
pk_status pk_block_sum_pool(void *y, const void *x, const pk_pool *pool, int64_t block, pk_dtype dtype, int threads);
pk_status pk_block_sum_pool_backward(void *dx, const void *dy, const pk_pool *pool, int64_t block, pk_dtype dtype,
                                     int threads);

#endif
