// Binary steps on floating-point numbers, and choosing among the steps on whole numbers.
#include "../Support/math.h"
#include "tile.h"

#define LOOP(NAME, T, LEFT, RIGHT, EXPRESSION)                                                               \
  PK_LEVELS(void, NAME, (PK_STEP_PARAMETERS), (PK_STEP_ARGUMENTS)) {                                         \
    T *d = dv;                                                                                               \
    const T *a = av, *b = bv;                                                                                \
    T a0 = a[0], b0 = b[0];                                                                                  \
    (void)a0, (void)b0;                                                                                      \
    PK_VECTOR for (int64_t i = 0; i < n; i++) {                                                              \
      T x = LEFT, y = RIGHT;                                                                                 \
      d[i] = EXPRESSION;                                                                                     \
    }                                                                                                        \
  }

// Three forms: two tiles, tile and number, number and tile.
#define FORMS(NAME, T, EXPRESSION)                                                                           \
  LOOP(NAME, T, a[i], b[i], EXPRESSION)                                                                      \
  LOOP(NAME##_right, T, a[i], b0, EXPRESSION)                                                                \
  LOOP(NAME##_left, T, a0, b[i], EXPRESSION)

// The second comparison is false for NaN in y, the first is never true for it, so y is returned; NaN in x
// comes first.
#define MAXIMUM (x != x ? x : y > x || y != y ? y : x)
#define MINIMUM (x != x ? x : y < x || y != y ? y : x)

FORMS(add_f32, float, x + y)
FORMS(sub_f32, float, x - y)
FORMS(mul_f32, float, x *y)
FORMS(div_f32, float, x / y)
FORMS(max_f32, float, MAXIMUM)
FORMS(min_f32, float, MINIMUM)
FORMS(pow_f32, float, pk_pow(x, y))
FORMS(add_f64, double, x + y)
FORMS(sub_f64, double, x - y)
FORMS(mul_f64, double, x *y)
FORMS(div_f64, double, x / y)
FORMS(max_f64, double, MAXIMUM)
FORMS(min_f64, double, MINIMUM)

#define LIBRARY(NAME, T, EXPRESSION)                                                                         \
  static void NAME(PK_STEP_PARAMETERS) {                                                                     \
    T *d = dv;                                                                                               \
    const T *a = av, *b = bv;                                                                                \
    for (int64_t i = 0; i < n; i++) d[i] = EXPRESSION;                                                       \
  }
LIBRARY(rem_f32, float, fmodf(a[i], b[i]))
LIBRARY(rem_f64, double, fmod(a[i], b[i]))
LIBRARY(pow_f64, double, pow(a[i], b[i]))

#define CHOOSE(NAME)                                                                                         \
  (form == PK_FORM_TILES ? NAME : form == PK_FORM_RIGHT_SCALAR ? NAME##_right : NAME##_left)
#define TILES_ONLY(NAME) (form == PK_FORM_TILES ? NAME : NULL)

pk_tile_fn pk_binary_function(pk_tile_op op, pk_dtype type, pk_form form) {
  if (type == PK_F32) {
    switch (op) {
      case PK_OP_ADD: return CHOOSE(add_f32);
      case PK_OP_SUB: return CHOOSE(sub_f32);
      case PK_OP_MUL: return CHOOSE(mul_f32);
      case PK_OP_DIV: return CHOOSE(div_f32);
      case PK_OP_MAX: return CHOOSE(max_f32);
      case PK_OP_MIN: return CHOOSE(min_f32);
      case PK_OP_POW: return CHOOSE(pow_f32);
      case PK_OP_REM: return TILES_ONLY(rem_f32);
      default: return NULL;
    }
  }
  if (type == PK_F64) {
    switch (op) {
      case PK_OP_ADD: return CHOOSE(add_f64);
      case PK_OP_SUB: return CHOOSE(sub_f64);
      case PK_OP_MUL: return CHOOSE(mul_f64);
      case PK_OP_DIV: return CHOOSE(div_f64);
      case PK_OP_MAX: return CHOOSE(max_f64);
      case PK_OP_MIN: return CHOOSE(min_f64);
      case PK_OP_POW: return TILES_ONLY(pow_f64);
      case PK_OP_REM: return TILES_ONLY(rem_f64);
      default: return NULL;
    }
  }
  return TILES_ONLY(pk_integer_function(op, type));
}
