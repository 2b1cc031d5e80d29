// A block of a transpose.
#ifndef PK_TRANSPOSE_H
#define PK_TRANSPOSE_H

#include "simd.h"

typedef uint32_t pk_u32x8 __attribute__((vector_size(32), aligned(4)));
#define PK_LOW_8(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define PK_HIGH_8(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define PK_EVEN_8(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define PK_ODD_8(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define PK_FRONT_8(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define PK_BACK_8(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)

// Eight by eight elements, transposed in registers: pairs, then quarters, then halves. Rows of `s` are `s1`
// apart and become columns of `d`, whose rows are `d0` apart.
PK_INLINE void pk_transpose_8x8(uint32_t *d, int64_t d0, const uint32_t *s, int64_t s1) {
  pk_u32x8 x[8], y[8];
  for (int i = 0; i < 8; i++) memcpy(&x[i], s + i * s1, 32);
  for (int i = 0; i < 8; i += 2) {
    y[i] = PK_LOW_8(x[i], x[i + 1]);
    y[i + 1] = PK_HIGH_8(x[i], x[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    x[i] = PK_EVEN_8(y[i], y[i + 2]);
    x[i + 1] = PK_ODD_8(y[i], y[i + 2]);
    x[i + 2] = PK_EVEN_8(y[i + 1], y[i + 3]);
    x[i + 3] = PK_ODD_8(y[i + 1], y[i + 3]);
  }
  for (int i = 0; i < 4; i++) {
    y[i] = PK_FRONT_8(x[i], x[i + 4]);
    y[i + 4] = PK_BACK_8(x[i], x[i + 4]);
  }
  for (int i = 0; i < 8; i++) memcpy(d + i * d0, &y[i], 32);
}

#endif
