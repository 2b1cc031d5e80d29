// Whole numbers in the order of floats. Comparing floats does not vectorize as a reduction where NaN must
// win; comparing whole numbers does. NaN is put beyond the end that the reduction looks for.
#ifndef PK_ORDER_H
#define PK_ORDER_H

#include "simd.h"

// Negative numbers have their bits other than the sign flipped.
PK_INLINE int32_t pk_order32(float x) {
  int32_t bits = (int32_t)pk_bits_of(x);
  return bits ^ (int32_t)((uint32_t)(bits >> 31) >> 1);
}
PK_INLINE float pk_unorder32(int32_t key) {
  return pk_float_of((uint32_t)(key ^ (int32_t)((uint32_t)(key >> 31) >> 1)));
}
PK_INLINE int32_t pk_order32_nan_high(float x) { return x != x ? INT32_MAX : pk_order32(x); }
PK_INLINE int32_t pk_order32_nan_low(float x) { return x != x ? INT32_MIN : pk_order32(x); }

PK_INLINE int64_t pk_order64(double x) {
  int64_t bits = (int64_t)pk_bits_of_double(x);
  return bits ^ (int64_t)((uint64_t)(bits >> 63) >> 1);
}
PK_INLINE double pk_unorder64(int64_t key) {
  return pk_double_of((uint64_t)(key ^ (int64_t)((uint64_t)(key >> 63) >> 1)));
}
PK_INLINE int64_t pk_order64_nan_high(double x) { return x != x ? INT64_MAX : pk_order64(x); }
PK_INLINE int64_t pk_order64_nan_low(double x) { return x != x ? INT64_MIN : pk_order64(x); }

// The keys of the infinities.
#define PK_LOWEST32 ((int32_t)0x807fffff)
#define PK_HIGHEST32 0x7f800000
#define PK_LOWEST64 ((int64_t)0x800fffffffffffff)
#define PK_HIGHEST64 0x7ff0000000000000

#endif
