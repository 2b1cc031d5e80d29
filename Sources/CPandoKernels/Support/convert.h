// One element from one type to another, with the semantics of PK_OP_CONVERT.
#ifndef PK_CONVERT_H
#define PK_CONVERT_H

#include "half.h"

// Floats that are out of range saturate and NaN becomes 0; the limits are powers of two, so they are exact.
// Between them the conversion is defined.
#define PK_SATURATE(NAME, S, D, LOW, HIGH, MINIMUM, MAXIMUM)                                                 \
  PK_INLINE D NAME(S x) {                                                                                    \
    int inside = (x >= (S)(LOW)) & (x < (S)(HIGH));                                                          \
    S safe = inside ? x : (S)0;                                                                              \
    D y = (D)safe;                                                                                           \
    y = x < (S)(LOW) ? (MINIMUM) : y;                                                                        \
    return x >= (S)(HIGH) ? (MAXIMUM) : y;                                                                   \
  }
PK_SATURATE(pk_f32_to_i32, float, int32_t, -0x1p31, 0x1p31, INT32_MIN, INT32_MAX)
PK_SATURATE(pk_f32_to_i64, float, int64_t, -0x1p63, 0x1p63, INT64_MIN, INT64_MAX)
PK_SATURATE(pk_f32_to_i8, float, int8_t, -0x1p7, 0x1p7, INT8_MIN, INT8_MAX)
PK_SATURATE(pk_f32_to_u8, float, uint8_t, 0, 0x1p8, 0, UINT8_MAX)
PK_SATURATE(pk_f64_to_i32, double, int32_t, -0x1p31, 0x1p31, INT32_MIN, INT32_MAX)
PK_SATURATE(pk_f64_to_i64, double, int64_t, -0x1p63, 0x1p63, INT64_MIN, INT64_MAX)
PK_SATURATE(pk_f64_to_i8, double, int8_t, -0x1p7, 0x1p7, INT8_MIN, INT8_MAX)
PK_SATURATE(pk_f64_to_u8, double, uint8_t, 0, 0x1p8, 0, UINT8_MAX)

#endif
