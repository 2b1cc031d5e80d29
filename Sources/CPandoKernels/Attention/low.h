// Attention of bfloat16 operands by the processor's own products of bfloat16 pairs (AVX512_BF16): what its
// forward and backward pass share. Elsewhere operands are widened, and the float32 kernels do the work.
#ifndef PK_ATTENTION_LOW_H
#define PK_ATTENTION_LOW_H

#include "tiles.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define PK_LOW __attribute__((target("arch=x86-64-v4,tune=znver4,avx512bf16")))
#define PK_LOW_INLINE PK_LOW __attribute__((always_inline)) static inline

// Two neighbouring bfloat16 elements; they may lie at any even address.
typedef uint32_t pk_word __attribute__((aligned(2), may_alias));

// C[m, n] += A[m, k] B[k, n] with float32 C. Both operands hold pairs along k: word (i, p) of A lies at
// i * a_row + p * a_column, words of B in rows of n, one row for each of `pairs` pairs. n must be a multiple
// of 16.
void pk_low_product(float *c, int64_t c_row, const pk_word *a, int64_t a_row, int64_t a_column,
                    const uint32_t *b, int64_t m, int64_t n, int64_t pairs);

// Pairs of neighbouring rows, for products that sum over rows: word (r / 2, d) holds rows r and r + 1. Behind
// the last of `rows` rows zeros, up to `all` rows, which is even.
void pk_low_pair_rows(uint32_t *dst, const uint16_t *src, int64_t stride, int64_t rows, int64_t all,
                      int64_t width);

// Pairs of neighbouring elements of each row, for products that sum over elements: word (d / 2, r) holds
// elements d and d + 1 of row r; TILE rows, zeros behind the last of `rows`.
void pk_low_pair_columns(uint32_t *dst, const uint16_t *src, int64_t stride, int64_t rows, int64_t width);

// `count` numbers rounded to bfloat16, times `scale`.
void pk_low_round(uint16_t *dst, const float *src, float scale, int64_t count);

// 16 numbers of each of two rows as words of pairs.
PK_LOW_INLINE __m512i pk_low_words(__m512 first, __m512 second) {
  __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(first));
  __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(second));
  return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

// exp of numbers that are not positive (or NaN); below float32's normal numbers it is 0.
PK_LOW_INLINE __m512 pk_low_exp(__m512 x) {
  // The clamp keeps its second operand where that is NaN.
  __m512 y = _mm512_max_ps(_mm512_set1_ps(-87.0f), x);
  // exp(y) = 2^n exp(r), r between -ln 2 / 2 and ln 2 / 2, where a polynomial is good to float32's digits.
  __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(y, _mm512_set1_ps(0x1.715476p0f)), _MM_FROUND_TO_NEAREST_INT);
  __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0x1.62e4p-1f), y);
  r = _mm512_fnmadd_ps(n, _mm512_set1_ps(1.42860677e-6f), r);
  __m512 p = _mm512_set1_ps(1.3981999e-3f);
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(8.3334519e-3f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(4.1665796e-2f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.6666665e-1f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
  p = _mm512_scalef_ps(p, n);
  return _mm512_mask_mov_ps(p, _mm512_cmp_ps_mask(x, _mm512_set1_ps(-87.0f), _CMP_LT_OQ),
                            _mm512_setzero_ps());
}

#endif
#endif
