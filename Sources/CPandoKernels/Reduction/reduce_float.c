// Reducers of floating-point types.
#include "../Support/half.h"
#include "../Support/order.h"
#include "reduce_macros.h"

#define TO_FLOAT(x) ((float)(x))
#define TO_BF16(x) pk_to_bf16((float)(x))
#define TO_F16(x) pk_to_f16((float)(x))
#define MAX_BF16(x) pk_order32_nan_high(pk_from_bf16(x))
#define MIN_BF16(x) pk_order32_nan_low(pk_from_bf16(x))
#define MAX_F16(x) pk_order32_nan_high(pk_from_f16(x))
#define MIN_F16(x) pk_order32_nan_low(pk_from_f16(x))
#define KEY_TO_BF16(x) pk_to_bf16(pk_unorder32(x))
#define KEY_TO_F16(x) pk_to_f16(pk_unorder32(x))

PK_REDUCER(sum_f32, float, float, double, , PK_SAME, PK_PLUS, 0, TO_FLOAT)
PK_REDUCER(squares_f32, float, float, double, , PK_SQUARE, PK_PLUS, 0, TO_FLOAT)
PK_REDUCER(prod_f32, float, double, double, , PK_SAME, PK_TIMES, 1, TO_FLOAT)
PK_REDUCER(max_f32, float, int32_t, int32_t, pk_order32_nan_high, PK_SAME, PK_LARGER, PK_LOWEST32,
           pk_unorder32)
PK_REDUCER(min_f32, float, int32_t, int32_t, pk_order32_nan_low, PK_SAME, PK_SMALLER, PK_HIGHEST32,
           pk_unorder32)
PK_REDUCER(sum_f64, double, double, double, , PK_SAME, PK_PLUS, 0, PK_SAME)
PK_REDUCER(squares_f64, double, double, double, , PK_SQUARE, PK_PLUS, 0, PK_SAME)
PK_REDUCER(prod_f64, double, double, double, , PK_SAME, PK_TIMES, 1, PK_SAME)
PK_REDUCER(max_f64, double, int64_t, int64_t, pk_order64_nan_high, PK_SAME, PK_LARGER, PK_LOWEST64,
           pk_unorder64)
PK_REDUCER(min_f64, double, int64_t, int64_t, pk_order64_nan_low, PK_SAME, PK_SMALLER, PK_HIGHEST64,
           pk_unorder64)
PK_REDUCER(sum_bf16, uint16_t, float, double, pk_from_bf16, PK_SAME, PK_PLUS, 0, TO_BF16)
PK_REDUCER(squares_bf16, uint16_t, float, double, pk_from_bf16, PK_SQUARE, PK_PLUS, 0, TO_BF16)
PK_REDUCER(prod_bf16, uint16_t, double, double, pk_from_bf16, PK_SAME, PK_TIMES, 1, TO_BF16)
PK_REDUCER(max_bf16, uint16_t, int32_t, int32_t, MAX_BF16, PK_SAME, PK_LARGER, PK_LOWEST32, KEY_TO_BF16)
PK_REDUCER(min_bf16, uint16_t, int32_t, int32_t, MIN_BF16, PK_SAME, PK_SMALLER, PK_HIGHEST32, KEY_TO_BF16)
PK_REDUCER(sum_f16, uint16_t, float, double, pk_from_f16, PK_SAME, PK_PLUS, 0, TO_F16)
PK_REDUCER(squares_f16, uint16_t, float, double, pk_from_f16, PK_SQUARE, PK_PLUS, 0, TO_F16)
PK_REDUCER(prod_f16, uint16_t, double, double, pk_from_f16, PK_SAME, PK_TIMES, 1, TO_F16)
PK_REDUCER(max_f16, uint16_t, int32_t, int32_t, MAX_F16, PK_SAME, PK_LARGER, PK_LOWEST32, KEY_TO_F16)
PK_REDUCER(min_f16, uint16_t, int32_t, int32_t, MIN_F16, PK_SAME, PK_SMALLER, PK_HIGHEST32, KEY_TO_F16)

// The accumulators are those of float32's sums, and so are the results.
#define UNROUNDED(SUFFIX)                                                                                    \
  static const pk_reducer unrounded_##SUFFIX = {sizeof(double),       sum_##SUFFIX##_clear,                  \
                                                sum_##SUFFIX##_rows,  sum_##SUFFIX##_columns,                \
                                                sum_##SUFFIX##_combine, sum_f32_finish};
UNROUNDED(bf16)
UNROUNDED(f16)

const pk_reducer *pk_unrounded_reducer(pk_dtype dtype) {
  return dtype == PK_BF16 ? &unrounded_bf16 : dtype == PK_F16 ? &unrounded_f16 : NULL;
}

#define CHOOSE(SUFFIX)                                                                                       \
  switch (reduction) {                                                                                       \
    case PK_REDUCE_SUM: return &sum_##SUFFIX;                                                                \
    case PK_REDUCE_SUM_SQUARES: return &squares_##SUFFIX;                                                    \
    case PK_REDUCE_PROD: return &prod_##SUFFIX;                                                              \
    case PK_REDUCE_MAX: return &max_##SUFFIX;                                                                \
    case PK_REDUCE_MIN: return &min_##SUFFIX;                                                                \
  }                                                                                                          \
  return NULL

const pk_reducer *pk_float_reducer(pk_reduction reduction, pk_dtype dtype) {
  switch (dtype) {
    case PK_F32: CHOOSE(f32);
    case PK_F64: CHOOSE(f64);
    case PK_BF16: CHOOSE(bf16);
    case PK_F16: CHOOSE(f16);
    default: return NULL;
  }
}
