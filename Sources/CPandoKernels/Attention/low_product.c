#include "low.h"

#if defined(__x86_64__)

// ROWS rows of C times COUNT vectors of 16, all in registers while A and B stream by.
#define BLOCK(NAME, ROWS, COUNT)                                                                             \
  PK_LOW static void NAME(float *c, int64_t c_row, const pk_word *a, int64_t a_row, int64_t a_column,        \
                          const uint32_t *b, int64_t b_row, int64_t pairs) {                                 \
    __m512 sum[ROWS][COUNT];                                                                                 \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++) {                                      \
      _Pragma("clang loop unroll(full)") for (int j = 0; j < COUNT; j++) {                                   \
        sum[i][j] = _mm512_loadu_ps(c + i * c_row + j * 16);                                                 \
      }                                                                                                      \
    }                                                                                                        \
    for (int64_t p = 0; p < pairs; p++) {                                                                    \
      __m512i right[COUNT];                                                                                  \
      _Pragma("clang loop unroll(full)") for (int j = 0; j < COUNT; j++) {                                   \
        right[j] = _mm512_loadu_si512(b + p * b_row + j * 16);                                               \
      }                                                                                                      \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++) {                                    \
        __m512i left = _mm512_set1_epi32((int)a[i * a_row + p * a_column]);                                  \
        _Pragma("clang loop unroll(full)") for (int j = 0; j < COUNT; j++) {                                 \
          sum[i][j] = _mm512_dpbf16_ps(sum[i][j], (__m512bh)left, (__m512bh)right[j]);                       \
        }                                                                                                    \
      }                                                                                                      \
    }                                                                                                        \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++) {                                      \
      _Pragma("clang loop unroll(full)") for (int j = 0; j < COUNT; j++) {                                   \
        _mm512_storeu_ps(c + i * c_row + j * 16, sum[i][j]);                                                 \
      }                                                                                                      \
    }                                                                                                        \
  }

BLOCK(wide, 8, 2)
BLOCK(wide_row, 1, 2)
BLOCK(narrow, 8, 1)
BLOCK(narrow_row, 1, 1)

// One column of blocks: whole blocks of 8 rows, then single rows.
#define COLUMN(WHOLE, SINGLE)                                                                                \
  for (int64_t i = 0; i < m;) {                                                                              \
    if (m - i >= 8) {                                                                                        \
      WHOLE(c + i * c_row + j, c_row, a + i * a_row, a_row, a_column, b + j, n, pairs);                      \
      i += 8;                                                                                                \
    } else {                                                                                                 \
      SINGLE(c + i * c_row + j, c_row, a + i * a_row, a_row, a_column, b + j, n, pairs);                     \
      i++;                                                                                                   \
    }                                                                                                        \
  }

void pk_low_product(float *c, int64_t c_row, const pk_word *a, int64_t a_row, int64_t a_column,
                    const uint32_t *b, int64_t m, int64_t n, int64_t pairs) {
  int64_t j = 0;
  for (; j + 32 <= n; j += 32) COLUMN(wide, wide_row)
  for (; j < n; j += 16) COLUMN(narrow, narrow_row)
}

PK_LOW void pk_low_pair_rows(uint32_t *dst, const uint16_t *src, int64_t stride, int64_t rows, int64_t all,
                             int64_t width) {
  for (int64_t r = 0; r < all; r += 2, dst += width) {
    const uint16_t *first = src + r * stride, *second = first + stride;
    if (r + 1 < rows) {
      PK_VECTOR for (int64_t d = 0; d < width; d++) dst[d] = first[d] | (uint32_t)second[d] << 16;
    } else if (r < rows) {
      PK_VECTOR for (int64_t d = 0; d < width; d++) dst[d] = first[d];
    } else {
      memset(dst, 0, (size_t)width * sizeof *dst);
    }
  }
}

// 16 words of each of 16 rows, rows and columns exchanged.
PK_LOW static void exchange(uint32_t *dst, const pk_word *const rows[16]) {
  __m512i x[16], y[16];
  for (int i = 0; i < 16; i++) x[i] = rows[i] ? _mm512_loadu_si512(rows[i]) : _mm512_setzero_si512();
  for (int i = 0; i < 16; i += 2) {
    y[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
    y[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    x[i] = _mm512_unpacklo_epi64(y[i], y[i + 2]);
    x[i + 1] = _mm512_unpackhi_epi64(y[i], y[i + 2]);
    x[i + 2] = _mm512_unpacklo_epi64(y[i + 1], y[i + 3]);
    x[i + 3] = _mm512_unpackhi_epi64(y[i + 1], y[i + 3]);
  }
  // x[4 g + c], lane l: words of column 4 l + c of rows 4 g ..< 4 g + 4.
  for (int c = 0; c < 4; c++) {
    __m512i low01 = _mm512_shuffle_i32x4(x[c], x[4 + c], 0x88),
            low23 = _mm512_shuffle_i32x4(x[8 + c], x[12 + c], 0x88);
    __m512i high01 = _mm512_shuffle_i32x4(x[c], x[4 + c], 0xdd);
    __m512i high23 = _mm512_shuffle_i32x4(x[8 + c], x[12 + c], 0xdd);
    _mm512_storeu_si512(dst + c * TILE, _mm512_shuffle_i32x4(low01, low23, 0x88));
    _mm512_storeu_si512(dst + (8 + c) * TILE, _mm512_shuffle_i32x4(low01, low23, 0xdd));
    _mm512_storeu_si512(dst + (4 + c) * TILE, _mm512_shuffle_i32x4(high01, high23, 0x88));
    _mm512_storeu_si512(dst + (12 + c) * TILE, _mm512_shuffle_i32x4(high01, high23, 0xdd));
  }
}

void pk_low_pair_columns(uint32_t *dst, const uint16_t *src, int64_t stride, int64_t rows, int64_t width) {
  int64_t pairs = width / 2, whole = pairs / 16 * 16;
  for (int64_t r = 0; r < TILE; r += 16) {
    const pk_word *row[16];
    for (int i = 0; i < 16; i++) {
      row[i] = r + i < rows ? (const pk_word *)(const void *)(src + (r + i) * stride) : NULL;
    }
    for (int64_t p = 0; p < whole; p += 16) {
      exchange(dst + p * TILE + r, row);
      for (int i = 0; i < 16; i++) row[i] = row[i] ? row[i] + 16 : NULL;
    }
    for (int64_t p = whole; p < pairs; p++) {
      for (int i = 0; i < 16; i++) dst[p * TILE + r + i] = row[i] ? row[i][p - whole] : 0;
    }
  }
}

PK_LOW void pk_low_round(uint16_t *dst, const float *src, float scale, int64_t count) {
  __m512 factor = _mm512_set1_ps(scale);
  for (int64_t i = 0; i < count; i += 16) {
    __m512 x = _mm512_mul_ps(_mm512_loadu_ps(src + i), factor);
    _mm256_storeu_si256((__m256i *)(void *)(dst + i), (__m256i)_mm512_cvtneps_pbh(x));
  }
}

#endif
