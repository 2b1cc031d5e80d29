#include "product.h"

#include "simd.h"

#define PARAMETERS                                                                                           \
  float *c, int64_t c_row, const float *a, int64_t a_row, int64_t a_column, const float *b, int64_t b_row,   \
      int64_t k
#define ARGUMENTS c, c_row, a, a_row, a_column, b, b_row, k

typedef float vector4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef float vector8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef float vector16 __attribute__((vector_size(64), aligned(4), may_alias));

// ROWS rows of C times COUNT vectors, all in registers while A and B stream by: each loaded vector of B is
// used for every row, each broadcast element of A for every vector.
#define BLOCK(NAME, TARGET, VECTOR, ROWS, COUNT)                                                             \
  TARGET static void NAME(PARAMETERS) {                                                                      \
    enum { WIDTH = sizeof(VECTOR) / sizeof(float) };                                                         \
    VECTOR sum[ROWS][COUNT];                                                                                 \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++) {                                      \
      _Pragma("clang loop unroll(full)") for (int j = 0; j < COUNT; j++) sum[i][j] = (VECTOR){0};            \
    }                                                                                                        \
    for (int64_t p = 0; p < k; p++) {                                                                        \
      VECTOR right[COUNT];                                                                                   \
      _Pragma("clang loop unroll(full)") for (int j = 0; j < COUNT; j++) {                                   \
        right[j] = *(const VECTOR *)(b + p * b_row + j * WIDTH);                                             \
      }                                                                                                      \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++) {                                    \
        float left = a[i * a_row + p * a_column];                                                            \
        _Pragma("clang loop unroll(full)") for (int j = 0; j < COUNT; j++) sum[i][j] += left * right[j];     \
      }                                                                                                      \
    }                                                                                                        \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++) {                                      \
      _Pragma("clang loop unroll(full)") for (int j = 0; j < COUNT; j++) {                                   \
        *(VECTOR *)(c + i * c_row + j * WIDTH) += sum[i][j];                                                 \
      }                                                                                                      \
    }                                                                                                        \
  }

// One column of blocks: whole blocks of ROWS rows, then of SOME, then single rows.
#define COLUMN(NAME, ROWS, SOME)                                                                             \
  for (int64_t i = 0; i < m;) {                                                                              \
    if (m - i >= ROWS) {                                                                                     \
      NAME(c + i * c_row + j, c_row, a + i * a_row, a_row, a_column, b + j, b_row, k);                       \
      i += ROWS;                                                                                             \
    } else if (m - i >= SOME) {                                                                              \
      NAME##_some(c + i * c_row + j, c_row, a + i * a_row, a_row, a_column, b + j, b_row, k);                \
      i += SOME;                                                                                             \
    } else {                                                                                                 \
      NAME##_row(c + i * c_row + j, c_row, a + i * a_row, a_row, a_column, b + j, b_row, k);                 \
      i++;                                                                                                   \
    }                                                                                                        \
  }

// A block that fills the registers of the level; WIDE columns, and where fewer are left, 16.
#define PRODUCT(NAME, TARGET, VECTOR, ROWS, SOME, WIDE, NARROW)                                              \
  BLOCK(NAME##_wide, TARGET, VECTOR, ROWS, WIDE)                                                             \
  BLOCK(NAME##_wide_some, TARGET, VECTOR, SOME, WIDE)                                                        \
  BLOCK(NAME##_wide_row, TARGET, VECTOR, 1, WIDE)                                                            \
  BLOCK(NAME##_narrow, TARGET, VECTOR, ROWS, NARROW)                                                         \
  BLOCK(NAME##_narrow_some, TARGET, VECTOR, SOME, NARROW)                                                    \
  BLOCK(NAME##_narrow_row, TARGET, VECTOR, 1, NARROW)                                                        \
  static void NAME(float *c, int64_t c_row, const float *a, int64_t a_row, int64_t a_column, const float *b, \
                   int64_t b_row, int64_t m, int64_t n, int64_t k) {                                         \
    enum { WIDE_COLUMNS = (WIDE) * sizeof(VECTOR) / sizeof(float) };                                         \
    int64_t j = 0;                                                                                           \
    for (; j + WIDE_COLUMNS <= n; j += WIDE_COLUMNS) COLUMN(NAME##_wide, ROWS, SOME)                         \
    for (; j < n; j += 16) COLUMN(NAME##_narrow, ROWS, SOME)                                                 \
  }

#if defined(__x86_64__)
enum { AVX512_ROWS = 8, AVX2_ROWS = 6, PLAIN_ROWS = 2 };
PRODUCT(product_avx512, PK_AVX512, vector16, AVX512_ROWS, 4, 2, 1)
PRODUCT(product_avx2, PK_AVX2, vector8, AVX2_ROWS, 4, 2, 2)
#else
enum { PLAIN_ROWS = 4 };
#endif
PRODUCT(product_plain, , vector4, PLAIN_ROWS, 1, 4, 4)

int64_t pk_product_rows(void) {
#if defined(__x86_64__)
  if (pk_level == PK_ISA_AVX512) return AVX512_ROWS;
  if (pk_level == PK_ISA_AVX2) return AVX2_ROWS;
#endif
  return PLAIN_ROWS;
}

void pk_product(float *c, int64_t c_row, const float *a, int64_t a_row, int64_t a_column, const float *b,
                int64_t b_row, int64_t m, int64_t n, int64_t k) {
#if defined(__x86_64__)
  if (pk_level == PK_ISA_AVX512) {
    product_avx512(c, c_row, a, a_row, a_column, b, b_row, m, n, k);
    return;
  }
  if (pk_level == PK_ISA_AVX2) {
    product_avx2(c, c_row, a, a_row, a_column, b, b_row, m, n, k);
    return;
  }
#endif
  product_plain(c, c_row, a, a_row, a_column, b, b_row, m, n, k);
}
