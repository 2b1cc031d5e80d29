// Comparisons and selection.
#include "../Support/simd.h"
#include "tile.h"

#define COMPARE(NAME, T, OPERATOR, RIGHT)                                                                    \
  PK_LEVELS(void, NAME, (PK_STEP_PARAMETERS), (PK_STEP_ARGUMENTS)) {                                         \
    uint8_t *d = dv;                                                                                         \
    const T *a = av, *b = bv;                                                                                \
    T b0 = b[0];                                                                                             \
    (void)b0;                                                                                                \
    PK_VECTOR for (int64_t i = 0; i < n; i++) d[i] = a[i] OPERATOR RIGHT;                                    \
  }

#define ALL(SUFFIX, T, RIGHT)                                                                                \
  COMPARE(eq_##SUFFIX, T, ==, RIGHT)                                                                         \
  COMPARE(ne_##SUFFIX, T, !=, RIGHT)                                                                         \
  COMPARE(lt_##SUFFIX, T, <, RIGHT)                                                                          \
  COMPARE(le_##SUFFIX, T, <=, RIGHT)                                                                         \
  COMPARE(gt_##SUFFIX, T, >, RIGHT)                                                                          \
  COMPARE(ge_##SUFFIX, T, >=, RIGHT)                                                                         \
  static pk_tile_fn function_##SUFFIX(pk_tile_op op) {                                                       \
    switch (op) {                                                                                            \
      case PK_OP_EQ: return eq_##SUFFIX;                                                                     \
      case PK_OP_NE: return ne_##SUFFIX;                                                                     \
      case PK_OP_LT: return lt_##SUFFIX;                                                                     \
      case PK_OP_LE: return le_##SUFFIX;                                                                     \
      case PK_OP_GT: return gt_##SUFFIX;                                                                     \
      case PK_OP_GE: return ge_##SUFFIX;                                                                     \
      default: return NULL;                                                                                  \
    }                                                                                                        \
  }

ALL(f32, float, b[i])
ALL(f32_right, float, b0)
ALL(f64, double, b[i])
ALL(i32, int32_t, b[i])
ALL(i32_right, int32_t, b0)
ALL(i64, int64_t, b[i])
ALL(i8, int8_t, b[i])
ALL(u8, uint8_t, b[i])

pk_tile_fn pk_compare_function(pk_tile_op op, pk_dtype type, pk_form form) {
  if (form == PK_FORM_LEFT_SCALAR) return NULL;
  if (form == PK_FORM_RIGHT_SCALAR) {
    return type == PK_F32 ? function_f32_right(op) : type == PK_I32 ? function_i32_right(op) : NULL;
  }
  switch (type) {
    case PK_F32: return function_f32(op);
    case PK_F64: return function_f64(op);
    case PK_I32: return function_i32(op);
    case PK_I64: return function_i64(op);
    case PK_I8: return function_i8(op);
    case PK_U8:
    case PK_BOOL: return function_u8(op);
    default: return NULL;
  }
}

// Bits are moved, whatever they mean. `_right` takes a single number where the condition is false.
#define SELECT(NAME, T, OTHERWISE)                                                                           \
  PK_LEVELS(void, NAME, (PK_STEP_PARAMETERS), (PK_STEP_ARGUMENTS)) {                                         \
    T *d = dv;                                                                                               \
    const uint8_t *a = av;                                                                                   \
    const T *b = bv, *c = cv;                                                                                \
    T c0 = c[0];                                                                                             \
    (void)c0;                                                                                                \
    PK_VECTOR for (int64_t i = 0; i < n; i++) {                                                              \
      T yes = b[i], no = OTHERWISE;                                                                          \
      d[i] = a[i] ? yes : no;                                                                                \
    }                                                                                                        \
  }
SELECT(select_4, uint32_t, c[i])
SELECT(select_4_right, uint32_t, c0)
SELECT(select_8, uint64_t, c[i])
SELECT(select_1, uint8_t, c[i])

pk_tile_fn pk_select_function(pk_dtype type, pk_form form) {
  size_t size = pk_size(type);
  if (form == PK_FORM_RIGHT_SCALAR) return size == 4 ? select_4_right : NULL;
  if (form == PK_FORM_LEFT_SCALAR) return NULL;
  return size == 4 ? select_4 : size == 8 ? select_8 : size == 1 ? select_1 : NULL;
}
