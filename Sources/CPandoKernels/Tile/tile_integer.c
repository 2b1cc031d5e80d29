// Binary steps on whole numbers and truth values: they wrap, and never trap.
#include "../Support/simd.h"
#include "tile.h"

#define BINARY(NAME, T, EXPRESSION)                                                                          \
  PK_LEVELS(void, NAME, (PK_STEP_PARAMETERS), (PK_STEP_ARGUMENTS)) {                                         \
    T *d = dv;                                                                                               \
    const T *a = av, *b = bv;                                                                                \
    PK_VECTOR for (int64_t i = 0; i < n; i++) {                                                              \
      T x = a[i], y = b[i];                                                                                  \
      d[i] = (T)(EXPRESSION);                                                                                \
    }                                                                                                        \
  }

// Loops that stay scalar: no vector unit divides whole numbers.
#define SCALAR(NAME, T, EXPRESSION)                                                                          \
  static void NAME(PK_STEP_PARAMETERS) {                                                                     \
    T *d = dv;                                                                                               \
    const T *a = av, *b = bv;                                                                                \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      T x = a[i], y = b[i];                                                                                  \
      d[i] = (T)(EXPRESSION);                                                                                \
    }                                                                                                        \
  }

// Powers by squaring, modulo the width.
#define POWER(SUFFIX, T, U)                                                                                  \
  static T power_##SUFFIX(T x, T y) {                                                                        \
    if ((int64_t)y < 0) return x == 1 ? 1 : x == (T)-1 ? (y & 1 ? x : 1) : 0;                                \
    U result = 1, base = (U)x;                                                                               \
    for (U exponent = (U)y; exponent; exponent >>= 1) {                                                      \
      if (exponent & 1) result = (U)((uint64_t)result * base);                                               \
      base = (U)((uint64_t)base * base);                                                                     \
    }                                                                                                        \
    return (T)result;                                                                                        \
  }

// T is the type, U its unsigned twin of at least the same width in which arithmetic wraps.
#define WHOLE(SUFFIX, T, U, BITS)                                                                            \
  BINARY(add_##SUFFIX, T, (U)x + (U)y)                                                                       \
  BINARY(sub_##SUFFIX, T, (U)x - (U)y)                                                                       \
  BINARY(mul_##SUFFIX, T, (U)x *(U)y)                                                                        \
  SCALAR(div_##SUFFIX, T, y == 0 ? (T)-1 : y == (T)-1 && (T)-1 < 0 ? (T)((U)0 - (U)x) : (T)(x / y))          \
  SCALAR(rem_##SUFFIX, T, y == 0 ? x : y == (T)-1 && (T)-1 < 0 ? 0 : (T)(x % y))                             \
  BINARY(max_##SUFFIX, T, x > y ? x : y)                                                                     \
  BINARY(min_##SUFFIX, T, x < y ? x : y)                                                                     \
  BINARY(and_##SUFFIX, T, x &y)                                                                              \
  BINARY(or_##SUFFIX, T, x | y)                                                                              \
  BINARY(xor_##SUFFIX, T, x ^ y)                                                                             \
  BINARY(shl_##SUFFIX, T, (U)y < BITS ? (U)x << ((U)y & (BITS - 1)) : 0)                                     \
  BINARY(shr_##SUFFIX, T, (U)y < BITS ? (U)x >> ((U)y & (BITS - 1)) : 0)                                     \
  POWER(SUFFIX, T, U)                                                                                        \
  SCALAR(pow_##SUFFIX, T, power_##SUFFIX(x, y))                                                              \
                                                                                                             \
  static pk_tile_fn function_##SUFFIX(pk_tile_op op) {                                                       \
    switch (op) {                                                                                            \
      case PK_OP_ADD: return add_##SUFFIX;                                                                   \
      case PK_OP_SUB: return sub_##SUFFIX;                                                                   \
      case PK_OP_MUL: return mul_##SUFFIX;                                                                   \
      case PK_OP_DIV: return div_##SUFFIX;                                                                   \
      case PK_OP_REM: return rem_##SUFFIX;                                                                   \
      case PK_OP_POW: return pow_##SUFFIX;                                                                   \
      case PK_OP_MAX: return max_##SUFFIX;                                                                   \
      case PK_OP_MIN: return min_##SUFFIX;                                                                   \
      case PK_OP_AND: return and_##SUFFIX;                                                                   \
      case PK_OP_OR: return or_##SUFFIX;                                                                     \
      case PK_OP_XOR: return xor_##SUFFIX;                                                                   \
      case PK_OP_SHL: return shl_##SUFFIX;                                                                   \
      case PK_OP_SHR_LOGICAL: return shr_##SUFFIX;                                                           \
      default: return NULL;                                                                                  \
    }                                                                                                        \
  }

WHOLE(i32, int32_t, uint32_t, 32)
WHOLE(i64, int64_t, uint64_t, 64)
WHOLE(i8, int8_t, uint8_t, 8)
WHOLE(u8, uint8_t, uint8_t, 8)

static pk_tile_fn truth_function(pk_tile_op op) {
  switch (op) {
    case PK_OP_ADD:
    case PK_OP_MAX:
    case PK_OP_OR: return or_u8;
    case PK_OP_MUL:
    case PK_OP_MIN:
    case PK_OP_AND: return and_u8;
    case PK_OP_XOR: return xor_u8;
    default: return NULL;
  }
}

pk_tile_fn pk_integer_function(pk_tile_op op, pk_dtype type) {
  switch (type) {
    case PK_I32: return function_i32(op);
    case PK_I64: return function_i64(op);
    case PK_I8: return function_i8(op);
    case PK_U8: return function_u8(op);
    case PK_BOOL: return truth_function(op);
    default: return NULL;
  }
}
