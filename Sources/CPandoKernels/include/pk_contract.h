/// Contractions of types that no library multiplies, and products of a matrix and a vector.
#ifndef PK_CONTRACT_H
#define PK_CONTRACT_H

#include "pk_types.h"

/// `dst[o] = Σ_s a[o, s] · b[o, s]` over `outer_rank` outer and `sum_rank` summed dimensions, every array through its own
/// strides in elements, 0 where it lacks the dimension. Floating-point types sum in float64 and round once; whole numbers
/// wrap. Ranks are at most `PK_MAX_RANK`. `PK_BOOL` is `PK_UNSUPPORTED`.
pk_status pk_contract(void *dst, const void *a, const void *b, pk_dtype dtype, int outer_rank,
                      const int64_t *outer_shape, const int64_t *a_outer, const int64_t *b_outer,
                      const int64_t *dst_outer, int sum_rank, const int64_t *sum_shape, const int64_t *a_sum,
                      const int64_t *b_sum, int threads);

/// `y[i] = Σ_k a[i, k] · x[k]` in float32 for `rows` rows of `n` elements; a has any strides, one of which is 1, y
/// and x are dense. Returns `PK_INVALID` where neither stride is 1.
pk_status pk_matrix_vector(float *y, const float *a, const float *x, int64_t rows, int64_t n,
                           int64_t row_stride, int64_t column_stride, int threads);

#endif
