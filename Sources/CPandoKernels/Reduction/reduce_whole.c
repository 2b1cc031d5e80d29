// Reducers of whole numbers and bool. Sums and products are taken in unsigned types, which wrap.
#include "reduce_macros.h"

#define TO_I32(x) ((int32_t)(x))
#define TO_I64(x) ((int64_t)(x))
#define TO_BYTE(x) ((uint8_t)(x))

PK_REDUCER(sum_i32, int32_t, uint32_t, uint32_t, , PK_SAME, PK_PLUS, 0, TO_I32)
PK_REDUCER(prod_i32, int32_t, uint32_t, uint32_t, , PK_SAME, PK_TIMES, 1, TO_I32)
PK_REDUCER(max_i32, int32_t, int32_t, int32_t, , PK_SAME, PK_LARGER, INT32_MIN, PK_SAME)
PK_REDUCER(min_i32, int32_t, int32_t, int32_t, , PK_SAME, PK_SMALLER, INT32_MAX, PK_SAME)
PK_REDUCER(sum_i64, int64_t, uint64_t, uint64_t, , PK_SAME, PK_PLUS, 0, TO_I64)
PK_REDUCER(prod_i64, int64_t, uint64_t, uint64_t, , PK_SAME, PK_TIMES, 1, TO_I64)
PK_REDUCER(max_i64, int64_t, int64_t, int64_t, , PK_SAME, PK_LARGER, INT64_MIN, PK_SAME)
PK_REDUCER(min_i64, int64_t, int64_t, int64_t, , PK_SAME, PK_SMALLER, INT64_MAX, PK_SAME)
PK_REDUCER(max_i8, int8_t, int8_t, int8_t, , PK_SAME, PK_LARGER, INT8_MIN, PK_SAME)
PK_REDUCER(min_i8, int8_t, int8_t, int8_t, , PK_SAME, PK_SMALLER, INT8_MAX, PK_SAME)
PK_REDUCER(max_u8, uint8_t, uint8_t, uint8_t, , PK_SAME, PK_LARGER, 0, PK_SAME)
PK_REDUCER(min_u8, uint8_t, uint8_t, uint8_t, , PK_SAME, PK_SMALLER, UINT8_MAX, PK_SAME)
// The low byte of a sum is the same whether the bytes are signed or not.
PK_REDUCER(sum_8, uint8_t, uint32_t, uint32_t, , PK_SAME, PK_PLUS, 0, TO_BYTE)
PK_REDUCER(prod_8, uint8_t, uint32_t, uint32_t, , PK_SAME, PK_TIMES, 1, TO_BYTE)
PK_REDUCER(all_bool, uint8_t, uint8_t, uint8_t, , PK_SAME, PK_SMALLER, 1, PK_SAME)

#define CHOOSE(SUM, PROD, MAX, MIN)                                                                          \
  switch (reduction) {                                                                                       \
    case PK_REDUCE_SUM: return SUM;                                                                          \
    case PK_REDUCE_PROD: return PROD;                                                                        \
    case PK_REDUCE_MAX: return MAX;                                                                          \
    case PK_REDUCE_MIN: return MIN;                                                                          \
    default: return NULL;                                                                                    \
  }

const pk_reducer *pk_whole_reducer(pk_reduction reduction, pk_dtype dtype) {
  switch (dtype) {
    case PK_I32: CHOOSE(&sum_i32, &prod_i32, &max_i32, &min_i32)
    case PK_I64: CHOOSE(&sum_i64, &prod_i64, &max_i64, &min_i64)
    case PK_I8: CHOOSE(&sum_8, &prod_8, &max_i8, &min_i8)
    case PK_U8: CHOOSE(&sum_8, &prod_8, &max_u8, &min_u8)
    case PK_BOOL: CHOOSE(NULL, NULL, &max_u8, &all_bool)
    default: return NULL;
  }
}
