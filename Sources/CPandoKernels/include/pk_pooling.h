/// Pooling over one or two spatial dimensions of arrays [planes, height, width] (planes is batch times
/// channels).
///
/// Types are `PK_F32` and `PK_F64`; anything else returns `PK_UNSUPPORTED`. Elements beyond the edges take no
/// part: they are neither a maximum nor added. Index 0 is the height, 1 the width; one spatial dimension has
/// height, window, stride and dilation 1 and padding 0 at index 0.
#ifndef PK_POOLING_H
#define PK_POOLING_H

#include "pk_types.h"

/// Sizes of a pooling; the padding behind the last element follows from `output`.
typedef struct pk_pool {
  int64_t planes;
  int64_t input[2], output[2];
  int64_t window[2], stride[2];
  /// Padding before the first element.
  int64_t low[2];
  /// How far neighbours in the window lie apart in the input; 1 where they are neighbours there too.
  int64_t dilation[2];
} pk_pool;

/// `y[o]` is the largest element of window o; NaN wins; -infinity where the window lies outside.
pk_status pk_max_pool(void *y, const void *x, const pk_pool *pool, pk_dtype dtype, int threads);

/// The gradient: `dx` is 0 but where an element of `x` is the first largest of a window, in row-major order;
/// there it is the sum of those windows' `dy`.
pk_status pk_max_pool_backward(void *dx, const void *dy, const void *x, const pk_pool *pool, pk_dtype dtype,
                               int threads);

/// `y[o]` is the element of `t`, an array like `x`, at the place of the first largest element of window o of
/// `x`; 0 where the window lies outside. (The gradient of `pk_max_pool_backward` by `dy`.)
pk_status pk_max_pool_select(void *y, const void *t, const void *x, const pk_pool *pool, pk_dtype dtype,
                             int threads);

/// `y[o]` is `scale` times the sum of window o.
pk_status pk_sum_pool(void *y, const void *x, const pk_pool *pool, double scale, pk_dtype dtype, int threads);

/// The gradient: `dx[i]` is `scale` times the sum of `dy` over the windows that hold element i.
pk_status pk_sum_pool_backward(void *dx, const void *dy, const pk_pool *pool, double scale, pk_dtype dtype,
                               int threads);

#endif
