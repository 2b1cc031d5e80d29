// The functions of a reducer, from a few expressions.
#ifndef PK_REDUCE_MACROS_H
#define PK_REDUCE_MACROS_H

#include "../Support/simd.h"
#include "reduce.h"

// How many elements are combined in the narrow type before they go to the accumulator.
#define PK_REDUCE_BLOCK 256

// S: element in memory. LOAD: S to T, the type in which a block is combined (with MAP applied to each). A:
// accumulator. JOIN(a, b) combines two T or two A. IDENTITY is neutral. DONE: A to S.
#define PK_REDUCER(NAME, S, T, A, LOAD, MAP, JOIN, IDENTITY, DONE)                                           \
  static void NAME##_clear(void *av, int64_t n) {                                                            \
    A *a = av;                                                                                               \
    for (int64_t i = 0; i < n; i++) a[i] = (A)(IDENTITY);                                                    \
  }                                                                                                          \
  PK_LEVELS(void, NAME##_rows, (void *av, const void *xv, int64_t count, int64_t n), (av, xv, count, n)) {   \
    A *a = av;                                                                                               \
    const S *x = xv;                                                                                         \
    for (int64_t j = 0; j < count; j++, x += n) {                                                            \
      A total = a[j];                                                                                        \
      for (int64_t first = 0; first < n; first += PK_REDUCE_BLOCK) {                                         \
        PK_REASSOCIATE                                                                                       \
        int64_t last = pk_min64(n, first + PK_REDUCE_BLOCK);                                                 \
        T block = (T)(IDENTITY);                                                                             \
        for (int64_t i = first; i < last; i++) {                                                             \
          T y = MAP((T)LOAD(x[i]));                                                                          \
          block = JOIN(block, y);                                                                            \
        }                                                                                                    \
        total = JOIN(total, (A)block);                                                                       \
      }                                                                                                      \
      a[j] = total;                                                                                          \
    }                                                                                                        \
  }                                                                                                          \
  PK_LEVELS(void, NAME##_columns, (void *av, const void *xv, int64_t rows, int64_t stride, int64_t columns), \
            (av, xv, rows, stride, columns)) {                                                               \
    A *a = av;                                                                                               \
    const S *x = xv;                                                                                         \
    int64_t r = 0;                                                                                           \
    for (; r + 8 <= rows; r += 8, x += 8 * stride) {                                                         \
      PK_VECTOR for (int64_t c = 0; c < columns; c++) {                                                      \
        T y0 = MAP((T)LOAD(x[c])), y1 = MAP((T)LOAD(x[stride + c]));                                         \
        T y2 = MAP((T)LOAD(x[2 * stride + c])), y3 = MAP((T)LOAD(x[3 * stride + c]));                        \
        T y4 = MAP((T)LOAD(x[4 * stride + c])), y5 = MAP((T)LOAD(x[5 * stride + c]));                        \
        T y6 = MAP((T)LOAD(x[6 * stride + c])), y7 = MAP((T)LOAD(x[7 * stride + c]));                        \
        y0 = JOIN(y0, y1), y2 = JOIN(y2, y3), y4 = JOIN(y4, y5), y6 = JOIN(y6, y7);                          \
        y0 = JOIN(y0, y2), y4 = JOIN(y4, y6);                                                                \
        y0 = JOIN(y0, y4);                                                                                   \
        a[c] = JOIN(a[c], (A)y0);                                                                            \
      }                                                                                                      \
    }                                                                                                        \
    for (; r < rows; r++, x += stride) {                                                                     \
      PK_VECTOR for (int64_t c = 0; c < columns; c++) {                                                      \
        T y = MAP((T)LOAD(x[c]));                                                                            \
        a[c] = JOIN(a[c], (A)y);                                                                             \
      }                                                                                                      \
    }                                                                                                        \
  }                                                                                                          \
  static void NAME##_combine(void *av, const void *bv, int64_t n) {                                          \
    A *a = av;                                                                                               \
    const A *b = bv;                                                                                         \
    for (int64_t i = 0; i < n; i++) a[i] = JOIN(a[i], b[i]);                                                 \
  }                                                                                                          \
  static void NAME##_finish(void *dv, const void *av, int64_t n) {                                           \
    S *d = dv;                                                                                               \
    const A *a = av;                                                                                         \
    for (int64_t i = 0; i < n; i++) d[i] = DONE(a[i]);                                                       \
  }                                                                                                          \
  static const pk_reducer NAME = {sizeof(A),      NAME##_clear,   NAME##_rows,                               \
                                  NAME##_columns, NAME##_combine, NAME##_finish};

#define PK_SAME(x) (x)
#define PK_SQUARE(x) ((x) * (x))
#define PK_PLUS(a, b) ((a) + (b))
#define PK_TIMES(a, b) ((a) * (b))
#define PK_LARGER(a, b) ((a) > (b) ? (a) : (b))
#define PK_SMALLER(a, b) ((a) < (b) ? (a) : (b))

#endif
