/// Reductions, running sums and order along a dimension.
#ifndef PK_REDUCTION_H
#define PK_REDUCTION_H

#include "pk_types.h"

/// How elements are combined.
typedef enum pk_reduction {
  /// Sum; sum of the squares (floating point only). Whole numbers wrap. Not for bool.
  PK_REDUCE_SUM = 0,
  PK_REDUCE_SUM_SQUARES = 1,
  PK_REDUCE_PROD = 2,
  /// NaN wins. Of bool: whether any, whether all.
  PK_REDUCE_MAX = 3,
  PK_REDUCE_MIN = 4,
} pk_reduction;

/// Combines the elements of `src` [o1, r1, o2, r2, inner] over r1 and r2 into `dst` [o1, o2, inner], both of
/// `dtype`; `sizes` holds the five sizes. A plain [outer, reduce, inner] is {outer, reduce, 1, 1, inner};
/// batch norm's sums over (N, C, HW) are {1, N, C, HW, 1}.
///
/// Floating-point sums add a few hundred elements in float32 and such partial sums in float64, so the error
/// does not grow with the size; products are taken in float64. bfloat16 and float16 are rounded once, at the
/// end. Over no elements: 0, 1, the lowest or the highest value. Returns `PK_UNSUPPORTED` where the reduction
/// does not exist for the type.
pk_status pk_reduce(void *dst, const void *src, const int64_t sizes[5], pk_reduction reduction,
                    pk_dtype dtype, int threads);

/// The sums of bfloat16 or float16 elements in float32, of which `pk_reduce` gives the rounded ones.
pk_status pk_reduce_unrounded(float *dst, const void *src, const int64_t sizes[5], pk_dtype dtype,
                              int threads);

/// The index of the largest (or smallest) element along `n` of `src` [outer, n, inner], as `index_type`
/// (`PK_I32` or `PK_I64`) in `dst` [outer, inner]. The first of equals wins; NaN counts as larger than every
/// number. n is at least 1.
pk_status pk_arg_extremum(void *dst, pk_dtype index_type, const void *src, pk_dtype dtype, int64_t outer,
                          int64_t n, int64_t inner, int smallest, int threads);

/// Running sums along `n` of `src` [outer, n, inner], into `dst` (which may be `src`). `reverse` sums from
/// the end; `exclusive` leaves each element out of its own sum, so that the first is 0. Floating-point types
/// (not float16) are accumulated in float64; int32 and int64 wrap.
pk_status pk_cumulative_sum(void *dst, const void *src, pk_dtype dtype, int64_t outer, int64_t n,
                            int64_t inner, int reverse, int exclusive, int threads);

/// Bytes of scratch memory for `pk_sort` and `pk_top_k` on `threads` threads.
size_t pk_sort_workspace(int64_t n, int threads);

/// Sorts along `n` of `src` [outer, n, inner]; equal elements keep their order, NaN counts as larger than
/// every number. `values` and `indices` (int32) have the same shape; either may be null. n is below 2^31.
pk_status pk_sort(void *values, int32_t *indices, const void *src, pk_dtype dtype, int64_t outer, int64_t n,
                  int64_t inner, int descending, void *workspace, int threads);

/// The `k` largest along `n`, largest first; of equals, the first comes first. `values` and `indices` are
/// [outer, k, inner]; either may be null. 0 <= k <= n.
pk_status pk_top_k(void *values, int32_t *indices, const void *src, pk_dtype dtype, int64_t outer, int64_t n,
                   int64_t inner, int64_t k, void *workspace, int threads);

#endif
