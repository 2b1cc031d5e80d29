/// Moving elements without changing them: copies, padding, gathering; and adding back what was gathered.
#ifndef PK_MOVEMENT_H
#define PK_MOVEMENT_H

#include "pk_types.h"

/// Copies an N-dimensional box between two strided arrays: transpose, slice, broadcast (source stride 0),
/// reverse (negative stride), concatenation (into an offset of the destination).
///
/// `dst` and `src` point at the element with all coordinates 0. Destination elements must be distinct, and
/// the arrays must not overlap. `rank` is 0 to `PK_MAX_RANK`, `element_size` 1, 2, 4 or 8; anything else
/// returns `PK_INVALID`.
pk_status pk_copy_strided(void *dst, const int64_t *dst_strides, const void *src, const int64_t *src_strides,
                          const int64_t *shape, int rank, size_t element_size, int threads);

/// Sets `count` elements to the one at `value`. `element_size` is 1, 2, 4 or 8; anything else returns
/// `PK_INVALID`.
pk_status pk_fill(void *dst, int64_t count, const void *value, size_t element_size, int threads);

/// Pads a dense array: before the first element of dimension `d` lie `low[d]` copies of `*value` (negative:
/// elements are cut off), between neighbours `interior[d]`; `dst_shape` decides how many follow the last (or
/// how much is cut).
pk_status pk_pad(void *dst, const int64_t *dst_shape, const void *src, const int64_t *src_shape,
                 const int64_t *low, const int64_t *interior, int rank, const void *value,
                 size_t element_size, int threads);

/// Copies the box of `dst_shape` that begins at `starts` in the dense array `src`. As in StableHLO's
/// `dynamic_slice`, starts are clamped so that the box lies inside.
pk_status pk_dynamic_slice(void *dst, const int64_t *dst_shape, const void *src, const int64_t *src_shape,
                           const int64_t *starts, int rank, size_t element_size, int threads);

/// Overwrites the box of `src_shape` that begins at `starts` in the dense array `dst`, clamped likewise.
pk_status pk_dynamic_update(void *dst, const int64_t *dst_shape, const void *src, const int64_t *src_shape,
                            const int64_t *starts, int rank, size_t element_size, int threads);

/// What to do with an index outside 0 ..< n.
typedef enum pk_bounds {
  /// The nearest index that exists.
  PK_BOUNDS_CLAMP = 0,
  /// Gathers give 0; scatters leave it out.
  PK_BOUNDS_SKIP = 1,
} pk_bounds;

/// `dst[o, j, :] = src[o, indices[j], :]`, with `src` [outer, n, row] and `dst` [outer, k, row], `indices`
/// [k] of type `PK_I32` or `PK_I64` (otherwise `PK_UNSUPPORTED`). An embedding has outer 1. n must not be 0
/// when clamping.
pk_status pk_gather_rows(void *dst, const void *src, const void *indices, pk_dtype index_type, int64_t outer,
                         int64_t n, int64_t k, int64_t row, size_t element_size, pk_bounds bounds,
                         int threads);

/// `dst[o, indices[j], :] += src[o, j, :]` for j = 0, 1, …, in this order for each destination element, so
/// that the result is the same on any number of threads. Types `PK_F32`, `PK_F64`, `PK_I32`, `PK_I64`.
pk_status pk_scatter_add_rows(void *dst, const void *src, const void *indices, pk_dtype index_type,
                              int64_t outer, int64_t n, int64_t k, int64_t row, pk_dtype dtype,
                              pk_bounds bounds, int threads);

/// `dst[o, j, i] = src[o, indices[o, j, i], i]`, with `src` [outer, n, inner], `dst` and `indices` [outer, k,
/// inner].
pk_status pk_take_along(void *dst, const void *src, const void *indices, pk_dtype index_type, int64_t outer,
                        int64_t n, int64_t k, int64_t inner, size_t element_size, pk_bounds bounds,
                        int threads);

/// `dst[o, indices[o, j, i], i] += src[o, j, i]` for j = 0, 1, …, in this order. Types as in
/// `pk_scatter_add_rows`.
pk_status pk_add_along(void *dst, const void *src, const void *indices, pk_dtype index_type, int64_t outer,
                       int64_t n, int64_t k, int64_t inner, pk_dtype dtype, pk_bounds bounds, int threads);

/// Converts `count` elements between any two storage types with the semantics of `PK_OP_CONVERT`; float64 and
/// integers reach bfloat16 and float16 by way of float32. The arrays must not overlap.
pk_status pk_convert(void *dst, pk_dtype dst_type, const void *src, pk_dtype src_type, int64_t count,
                     int threads);

#endif
