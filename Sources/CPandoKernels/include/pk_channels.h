/// Normalization of channels: arrays [n, channels, size], where size is the product of the spatial
/// dimensions.
///
/// `dtype` is `PK_F32` or `PK_BF16`, `parameters` (the type of gamma, beta and their gradients) `dtype` or
/// `PK_F32`; any other combination returns `PK_UNSUPPORTED`. Statistics are float32, summed in float64.
#ifndef PK_CHANNELS_H
#define PK_CHANNELS_H

#include "pk_types.h"

/// Batch normalization in training (Ioffe, Szegedy, 2015): `y = (x - mean) / sqrt(variance + epsilon) * gamma
/// + beta` with the mean and the biased variance of each channel over n and size.
///
/// `gamma` and `beta` [channels] may be null (1 and 0); `mean` and `variance` [channels] are written. `y` may
/// be `x`.
pk_status pk_batch_norm(void *y, float *mean, float *variance, const void *x, const void *gamma,
                        const void *beta, int64_t n, int64_t channels, int64_t size, double epsilon,
                        pk_dtype dtype, pk_dtype parameters, int threads);

/// Gradients of batch normalization in training. `dgamma` and `dbeta` [channels] may be null, as may `gamma`.
/// `dx` may be `dy` or `x`.
pk_status pk_batch_norm_backward(void *dx, void *dgamma, void *dbeta, const void *dy, const void *x,
                                 const void *gamma, const float *mean, const float *variance, int64_t n,
                                 int64_t channels, int64_t size, double epsilon, pk_dtype dtype,
                                 pk_dtype parameters, int threads);

/// Batch normalization with given statistics: `y = (x - mean) / sqrt(variance + epsilon) * gamma + beta`.
/// `mean` and `variance` are of type `parameters` too. `y` may be `x`.
pk_status pk_batch_norm_inference(void *y, const void *x, const void *gamma, const void *beta,
                                  const void *mean, const void *variance, int64_t n, int64_t channels,
                                  int64_t size, double epsilon, pk_dtype dtype, pk_dtype parameters,
                                  int threads);

#endif
