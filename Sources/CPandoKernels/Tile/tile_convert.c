// Conversions between register types, constants and repetition.
#include "../Support/convert.h"
#include "tile.h"

#define CONVERT(NAME, S, D, EXPRESSION)                                                                      \
  PK_LEVELS(void, NAME, (PK_STEP_PARAMETERS), (PK_STEP_ARGUMENTS)) {                                         \
    D *d = dv;                                                                                               \
    const S *a = av;                                                                                         \
    PK_VECTOR for (int64_t i = 0; i < n; i++) {                                                              \
      S x = a[i];                                                                                            \
      d[i] = (D)(EXPRESSION);                                                                                \
    }                                                                                                        \
  }

CONVERT(f32_f64, float, double, x)
CONVERT(f32_i32, float, int32_t, pk_f32_to_i32(x))
CONVERT(f32_i64, float, int64_t, pk_f32_to_i64(x))
CONVERT(f32_i8, float, int8_t, pk_f32_to_i8(x))
CONVERT(f32_u8, float, uint8_t, pk_f32_to_u8(x))
CONVERT(f32_bool, float, uint8_t, x != 0)
CONVERT(f64_f32, double, float, x)
CONVERT(f64_i32, double, int32_t, pk_f64_to_i32(x))
CONVERT(f64_i64, double, int64_t, pk_f64_to_i64(x))
CONVERT(f64_i8, double, int8_t, pk_f64_to_i8(x))
CONVERT(f64_u8, double, uint8_t, pk_f64_to_u8(x))
CONVERT(f64_bool, double, uint8_t, x != 0)

// From whole numbers: to floats they round, to narrower ones they wrap.
#define FROM_WHOLE(S, T)                                                                                     \
  CONVERT(S##_f32, T, float, x)                                                                              \
  CONVERT(S##_f64, T, double, x)                                                                             \
  CONVERT(S##_i32, T, int32_t, x)                                                                            \
  CONVERT(S##_i64, T, int64_t, x)                                                                            \
  CONVERT(S##_8, T, uint8_t, x)                                                                              \
  CONVERT(S##_bool, T, uint8_t, x != 0)
FROM_WHOLE(i32, int32_t)
FROM_WHOLE(i64, int64_t)
FROM_WHOLE(i8, int8_t)
FROM_WHOLE(u8, uint8_t)

// Columns in the order of pk_dtype; bfloat16 and float16 are no register types.
static const pk_tile_fn table[PK_DTYPE_COUNT][PK_DTYPE_COUNT] = {
    [PK_F32] = {NULL, f32_f64, NULL, NULL, f32_i32, f32_i64, f32_i8, f32_u8, f32_bool},
    [PK_F64] = {f64_f32, NULL, NULL, NULL, f64_i32, f64_i64, f64_i8, f64_u8, f64_bool},
    [PK_I32] = {i32_f32, i32_f64, NULL, NULL, i32_i32, i32_i64, i32_8, i32_8, i32_bool},
    [PK_I64] = {i64_f32, i64_f64, NULL, NULL, i64_i32, i64_i64, i64_8, i64_8, i64_bool},
    [PK_I8] = {i8_f32, i8_f64, NULL, NULL, i8_i32, i8_i64, i8_8, i8_8, i8_bool},
    [PK_U8] = {u8_f32, u8_f64, NULL, NULL, u8_i32, u8_i64, u8_8, u8_8, u8_bool},
    [PK_BOOL] = {u8_f32, u8_f64, NULL, NULL, u8_i32, u8_i64, u8_8, u8_8, u8_8},
};

// Conversion to the same type copies bits.
pk_tile_fn pk_convert_function(pk_dtype from, pk_dtype to) {
  if (from == to) return pk_size(to) == 8 ? i64_i64 : pk_size(to) == 4 ? i32_i32 : u8_8;
  return table[from][to];
}

#define CONSTANT(NAME, T, FIELD)                                                                             \
  static void NAME(PK_STEP_PARAMETERS) {                                                                     \
    T *d = dv;                                                                                               \
    for (int64_t i = 0; i < n; i++) d[i] = (T)step->FIELD;                                                   \
  }
CONSTANT(constant_f32, float, real)
CONSTANT(constant_f64, double, real)
CONSTANT(constant_i32, int32_t, integer)
CONSTANT(constant_i64, int64_t, integer)
CONSTANT(constant_8, uint8_t, integer)
static void constant_bool(PK_STEP_PARAMETERS) { memset(dv, step->integer != 0, (size_t)n); }

pk_tile_fn pk_constant_function(pk_dtype type) {
  switch (type) {
    case PK_F32: return constant_f32;
    case PK_F64: return constant_f64;
    case PK_I32: return constant_i32;
    case PK_I64: return constant_i64;
    case PK_I8:
    case PK_U8: return constant_8;
    case PK_BOOL: return constant_bool;
    default: return NULL;
  }
}

#define SPLAT(NAME, T)                                                                                       \
  static void NAME(PK_STEP_PARAMETERS) {                                                                     \
    T *d = dv;                                                                                               \
    T x = *(const T *)av;                                                                                    \
    for (int64_t i = 0; i < n; i++) d[i] = x;                                                                \
  }
SPLAT(splat_1, uint8_t)
SPLAT(splat_4, uint32_t)
SPLAT(splat_8, uint64_t)

pk_tile_fn pk_splat_function(pk_dtype type) {
  size_t size = pk_size(type);
  return size == 1 ? splat_1 : size == 4 ? splat_4 : size == 8 ? splat_8 : NULL;
}
