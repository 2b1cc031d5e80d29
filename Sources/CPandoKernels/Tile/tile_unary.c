// Unary steps.
#include "../Support/half.h"
#include "../Support/math.h"
#include "tile.h"

// A loop that becomes vector code, from elements `x` of type T to results of type R.
#define UNARY_AS(NAME, T, R, EXPRESSION)                                                                     \
  PK_LEVELS(void, NAME, (PK_STEP_PARAMETERS), (PK_STEP_ARGUMENTS)) {                                         \
    R *d = dv;                                                                                               \
    const T *a = av;                                                                                         \
    PK_VECTOR for (int64_t i = 0; i < n; i++) {                                                              \
      T x = a[i];                                                                                            \
      d[i] = EXPRESSION;                                                                                     \
    }                                                                                                        \
  }
#define UNARY(NAME, T, EXPRESSION) UNARY_AS(NAME, T, T, EXPRESSION)

// A loop over a function of the C library.
#define LIBRARY(NAME, EXPRESSION)                                                                            \
  static void NAME(PK_STEP_PARAMETERS) {                                                                     \
    double *d = dv;                                                                                          \
    const double *a = av;                                                                                    \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      double x = a[i];                                                                                       \
      d[i] = EXPRESSION;                                                                                     \
    }                                                                                                        \
  }

UNARY(neg_f32, float, -x)
UNARY(abs_f32, float, __builtin_elementwise_abs(x))
UNARY(sign_f32, float, x > 0 ? 1.0f : x < 0 ? -1.0f : x)
UNARY(exp_f32, float, pk_exp(x))
UNARY(expm1_f32, float, pk_expm1(x))
UNARY(log_f32, float, pk_log(x))
UNARY(log1p_f32, float, pk_log1p(x))
UNARY(sqrt_f32, float, __builtin_elementwise_sqrt(x))
UNARY(rsqrt_f32, float, 1.0f / __builtin_elementwise_sqrt(x))
UNARY(tanh_f32, float, pk_tanh(x))
UNARY(logistic_f32, float, pk_logistic(x))
UNARY(erf_f32, float, pk_erf(x))
UNARY(floor_f32, float, __builtin_elementwise_floor(x))
UNARY(ceil_f32, float, __builtin_elementwise_ceil(x))
UNARY(round_f32, float, __builtin_elementwise_roundeven(x))
UNARY_AS(finite_f32, float, uint8_t, (pk_bits_of(x) & 0x7f800000u) != 0x7f800000u)
UNARY(round_bf16, float, pk_from_bf16(pk_to_bf16(x)))
UNARY(round_f16, float, pk_from_f16(pk_to_f16(x)))

// Arguments too large for the fast reduction send the whole tile to the C library.
PK_LEVELS(int, exceeds, (const float *a, int64_t n), (a, n)) {
  uint32_t largest = 0;
  for (int64_t i = 0; i < n; i++) {
    uint32_t magnitude = pk_bits_of(a[i]) & 0x7fffffffu;
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest > pk_bits_of(PK_TRIGONOMETRIC_LIMIT);
}

#define TRIGONOMETRIC(NAME, QUARTER, FALLBACK)                                                               \
  PK_LEVELS(void, NAME, (PK_STEP_PARAMETERS), (PK_STEP_ARGUMENTS)) {                                         \
    float *d = dv;                                                                                           \
    const float *a = av;                                                                                     \
    if (exceeds(a, n)) {                                                                                     \
      for (int64_t i = 0; i < n; i++) d[i] = FALLBACK(a[i]);                                                 \
      return;                                                                                                \
    }                                                                                                        \
    PK_VECTOR for (int64_t i = 0; i < n; i++) d[i] = pk_sin_shifted(a[i], QUARTER);                          \
  }
TRIGONOMETRIC(sin_f32, 0, sinf)
TRIGONOMETRIC(cos_f32, 1, cosf)

UNARY(neg_f64, double, -x)
UNARY(abs_f64, double, __builtin_elementwise_abs(x))
UNARY(sign_f64, double, x > 0 ? 1.0 : x < 0 ? -1.0 : x)
UNARY(sqrt_f64, double, __builtin_elementwise_sqrt(x))
UNARY(rsqrt_f64, double, 1.0 / __builtin_elementwise_sqrt(x))
UNARY(floor_f64, double, __builtin_elementwise_floor(x))
UNARY(ceil_f64, double, __builtin_elementwise_ceil(x))
UNARY(round_f64, double, __builtin_elementwise_roundeven(x))
UNARY_AS(finite_f64, double, uint8_t, (pk_bits_of_double(x) >> 52 & 0x7ffu) != 0x7ffu)
LIBRARY(exp_f64, exp(x))
LIBRARY(expm1_f64, expm1(x))
LIBRARY(log_f64, log(x))
LIBRARY(log1p_f64, log1p(x))
LIBRARY(tanh_f64, tanh(x))
LIBRARY(logistic_f64, 1.0 / (1.0 + exp(-x)))
LIBRARY(sin_f64, sin(x))
LIBRARY(cos_f64, cos(x))
LIBRARY(erf_f64, erf(x))

UNARY(neg_i32, int32_t, (int32_t)(0u - (uint32_t)x))
UNARY(abs_i32, int32_t, (int32_t)(x < 0 ? 0u - (uint32_t)x : (uint32_t)x))
UNARY(sign_i32, int32_t, (x > 0) - (x < 0))
UNARY(not_i32, int32_t, ~x)
UNARY(neg_i64, int64_t, (int64_t)(0u - (uint64_t)x))
UNARY(abs_i64, int64_t, (int64_t)(x < 0 ? 0u - (uint64_t)x : (uint64_t)x))
UNARY(sign_i64, int64_t, (x > 0) - (x < 0))
UNARY(not_i64, int64_t, ~x)
UNARY(neg_i8, int8_t, (int8_t)-x)
UNARY(abs_i8, int8_t, (int8_t)(x < 0 ? -x : x))
UNARY(sign_i8, int8_t, (int8_t)((x > 0) - (x < 0)))
UNARY(not_i8, int8_t, (int8_t)~x)
UNARY(neg_u8, uint8_t, (uint8_t)-x)
UNARY(abs_u8, uint8_t, x)
UNARY(sign_u8, uint8_t, x > 0)
UNARY(not_u8, uint8_t, (uint8_t)~x)
UNARY(not_bool, uint8_t, x ^ 1)

static pk_tile_fn float_function(pk_tile_op op) {
  switch (op) {
    case PK_OP_NEG: return neg_f32;
    case PK_OP_ABS: return abs_f32;
    case PK_OP_SIGN: return sign_f32;
    case PK_OP_EXP: return exp_f32;
    case PK_OP_EXPM1: return expm1_f32;
    case PK_OP_LOG: return log_f32;
    case PK_OP_LOG1P: return log1p_f32;
    case PK_OP_SQRT: return sqrt_f32;
    case PK_OP_RSQRT: return rsqrt_f32;
    case PK_OP_TANH: return tanh_f32;
    case PK_OP_LOGISTIC: return logistic_f32;
    case PK_OP_SIN: return sin_f32;
    case PK_OP_COS: return cos_f32;
    case PK_OP_ERF: return erf_f32;
    case PK_OP_FLOOR: return floor_f32;
    case PK_OP_CEIL: return ceil_f32;
    case PK_OP_ROUND_EVEN: return round_f32;
    case PK_OP_IS_FINITE: return finite_f32;
    case PK_OP_ROUND_BF16: return round_bf16;
    case PK_OP_ROUND_F16: return round_f16;
    default: return NULL;
  }
}

static pk_tile_fn double_function(pk_tile_op op) {
  switch (op) {
    case PK_OP_NEG: return neg_f64;
    case PK_OP_ABS: return abs_f64;
    case PK_OP_SIGN: return sign_f64;
    case PK_OP_EXP: return exp_f64;
    case PK_OP_EXPM1: return expm1_f64;
    case PK_OP_LOG: return log_f64;
    case PK_OP_LOG1P: return log1p_f64;
    case PK_OP_SQRT: return sqrt_f64;
    case PK_OP_RSQRT: return rsqrt_f64;
    case PK_OP_TANH: return tanh_f64;
    case PK_OP_LOGISTIC: return logistic_f64;
    case PK_OP_SIN: return sin_f64;
    case PK_OP_COS: return cos_f64;
    case PK_OP_ERF: return erf_f64;
    case PK_OP_FLOOR: return floor_f64;
    case PK_OP_CEIL: return ceil_f64;
    case PK_OP_ROUND_EVEN: return round_f64;
    case PK_OP_IS_FINITE: return finite_f64;
    default: return NULL;
  }
}

#define WHOLE(SUFFIX)                                                                                        \
  op == PK_OP_NEG    ? neg_##SUFFIX                                                                          \
  : op == PK_OP_ABS  ? abs_##SUFFIX                                                                          \
  : op == PK_OP_SIGN ? sign_##SUFFIX                                                                         \
  : op == PK_OP_NOT  ? not_##SUFFIX                                                                          \
                     : NULL

pk_tile_fn pk_unary_function(pk_tile_op op, pk_dtype type) {
  switch (type) {
    case PK_F32: return float_function(op);
    case PK_F64: return double_function(op);
    case PK_I32: return WHOLE(i32);
    case PK_I64: return WHOLE(i64);
    case PK_I8: return WHOLE(i8);
    case PK_U8: return WHOLE(u8);
    case PK_BOOL: return op == PK_OP_NOT ? not_bool : NULL;
    default: return NULL;
  }
}
