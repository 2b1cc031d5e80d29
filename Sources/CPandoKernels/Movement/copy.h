// What the movement kernels share.
#ifndef PK_COPY_H
#define PK_COPY_H

#include "pk_movement.h"

// Row-major strides of `shape`.
static inline void pk_dense_strides(int64_t *strides, const int64_t *shape, int rank) {
  int64_t stride = 1;
  for (int d = rank - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= shape[d];
  }
}

// Index `i` of an int32 or int64 array.
static inline int64_t pk_index_at(const void *indices, pk_dtype type, int64_t i) {
  return type == PK_I32 ? ((const int32_t *)indices)[i] : ((const int64_t *)indices)[i];
}

// The index to use: -1 where it is to be skipped.
static inline int64_t pk_bounded(int64_t index, int64_t n, pk_bounds bounds) {
  if (index >= 0 && index < n) return index;
  if (bounds == PK_BOUNDS_SKIP || n <= 0) return -1;
  return index < 0 ? 0 : n - 1;
}

#endif
