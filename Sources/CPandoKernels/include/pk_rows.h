/// Kernels over the rows of a matrix [rows, n]: softmax, normalization over a row, cross entropy.
///
/// `dtype` is `PK_F32` or `PK_BF16` (anything else returns `PK_UNSUPPORTED`); arithmetic is float32 with
/// longer sums in float64, and bfloat16 results are rounded once. Outputs may be the same memory as an input
/// of the same shape. Statistics, losses and cotangents of losses are always float32.
#ifndef PK_ROWS_H
#define PK_ROWS_H

#include "pk_types.h"

/// `y = exp(x - max) / sum(exp(x - max))` for each row.
pk_status pk_softmax(void *y, const void *x, int64_t rows, int64_t n, pk_dtype dtype, int threads);

/// `dx = y * (dy - sum(dy * y))` for each row, from the result `y`.
pk_status pk_softmax_backward(void *dx, const void *dy, const void *y, int64_t rows, int64_t n,
                              pk_dtype dtype, int threads);

/// `y = x - max - log(sum(exp(x - max)))` for each row.
pk_status pk_log_softmax(void *y, const void *x, int64_t rows, int64_t n, pk_dtype dtype, int threads);

/// `dx = dy - exp(y) * sum(dy)` for each row, from the result `y`.
pk_status pk_log_softmax_backward(void *dx, const void *dy, const void *y, int64_t rows, int64_t n,
                                  pk_dtype dtype, int threads);

/// Layer normalization (Ba, Kiros, Hinton, 2016): `y = (x - mean) * rstd * gamma + beta`, rstd = 1 /
/// sqrt(variance + epsilon) with the biased variance.
///
/// `gamma` and `beta` [n] may be null (1 and 0). Their type `parameters`, here and in the following
/// functions, is `dtype` or `PK_F32`. `mean` and `rstd` [rows], float32, may be null where they are not
/// wanted.
pk_status pk_layer_norm(void *y, float *mean, float *rstd, const void *x, const void *gamma, const void *beta,
                        int64_t rows, int64_t n, double epsilon, pk_dtype dtype, pk_dtype parameters,
                        int threads);

/// Bytes of scratch memory for the backward passes of layer norm and RMS norm.
size_t pk_norm_workspace(int64_t rows, int64_t n);

/// Gradients of layer normalization. `dgamma` and `dbeta` [n] may be null; `gamma` may be null.
pk_status pk_layer_norm_backward(void *dx, void *dgamma, void *dbeta, const void *dy, const void *x,
                                 const void *gamma, const float *mean, const float *rstd, int64_t rows,
                                 int64_t n, pk_dtype dtype, pk_dtype parameters, void *workspace,
                                 int threads);

/// Root-mean-square normalization (Zhang, Sennrich, 2019): `y = x * rstd * gamma`, rstd = 1 / sqrt(mean(x *
/// x) + epsilon). `gamma` and `rstd` may be null.
pk_status pk_rms_norm(void *y, float *rstd, const void *x, const void *gamma, int64_t rows, int64_t n,
                      double epsilon, pk_dtype dtype, pk_dtype parameters, int threads);

/// Gradients of RMS normalization. `dgamma` and `gamma` may be null.
pk_status pk_rms_norm_backward(void *dx, void *dgamma, const void *dy, const void *x, const void *gamma,
                               const float *rstd, int64_t rows, int64_t n, pk_dtype dtype,
                               pk_dtype parameters, void *workspace, int threads);

/// Cross entropy between rows of logits and whole-number labels, with label smoothing s:
/// `loss = lse - (1 - s) * x[label] - s * mean(x)`, `lse = log(sum(exp(x)))`.
///
/// `loss` and `lse` are [rows]; `lse` may be null. A row whose label is `ignored` has loss 0. Any other label
/// outside 0 ..< n gives NaN.
pk_status pk_cross_entropy(float *loss, float *lse, const void *x, const int32_t *labels, int64_t rows,
                           int64_t n, double smoothing, int32_t ignored, pk_dtype dtype, int threads);

/// `dx = dloss * (exp(x - lse) - (1 - s) * onehot(label) - s / n)`; 0 in rows whose label is `ignored`.
/// `dloss` [rows].
pk_status pk_cross_entropy_backward(void *dx, const float *dloss, const void *x, const float *lse,
                                    const int32_t *labels, int64_t rows, int64_t n, double smoothing,
                                    int32_t ignored, pk_dtype dtype, int threads);

#endif
