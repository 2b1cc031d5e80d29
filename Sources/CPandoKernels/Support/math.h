// Elementary functions of float32, free of branches so that loops over them become vector code.
//
// Polynomials were fitted here by Lawson's iteration (weighted least squares driven towards equal ripple)
// against 40-digit values. Functions with awkward cancellation are computed in float64 and rounded once.
#ifndef PK_MATH_H
#define PK_MATH_H

#include <math.h>

#include "simd.h"

// Adding it rounds a small float to a whole number, found in the low bits of the sum.
#define PK_ROUNDER_F 12582912.0f // 1.5 * 2^23
#define PK_ROUNDER_D 6755399441055744.0 // 1.5 * 2^52

// 2^n * p, right also where the result is subnormal or n is 128: the factor is applied in two halves.
PK_INLINE float pk_scale(float p, uint32_t n) {
  int32_t half = (int32_t)n >> 1;
  uint32_t rest = n - (uint32_t)half;
  return p * pk_float_of(((uint32_t)half + 127u) << 23) * pk_float_of((rest + 127u) << 23);
}

// exp(y) as p * 2^n: returns p and sets n (modulo 2^32).
PK_INLINE float pk_exp_split(float y, uint32_t *whole) {
  float shifted = y * 1.44269504088896341f + PK_ROUNDER_F;
  float n = shifted - PK_ROUNDER_F;
  *whole = pk_bits_of(shifted) - pk_bits_of(PK_ROUNDER_F);
  float r = y - n * 0x1.62e4p-1f;
  r = r - n * 0x1.7f7d1cp-20f;
  float p = 1.395047796e-03f;
  p = p * r + 8.368882321e-03f;
  p = p * r + 4.166620600e-02f;
  p = p * r + 1.666651890e-01f;
  p = p * r + 5.000000095e-01f;
  return p * (r * r) + r + 1.0f;
}

PK_INLINE float pk_exp(float x) {
  float y = x < -104.0f ? -104.0f : x;
  y = y > 89.0f ? 89.0f : y;
  uint32_t n;
  float p = pk_exp_split(y, &n);
  return pk_scale(p, n);
}

// exp where the caller knows that |x| < 87, or that x is NaN.
PK_INLINE float pk_exp_small(float x) {
  uint32_t n;
  float p = pk_exp_split(x, &n);
  return p * pk_float_of((n + 127u) << 23);
}

PK_INLINE float pk_log(float x) {
  int small = x < 0x1p-126f;
  float scaled = small ? x * 0x1p23f : x;
  uint32_t bits = pk_bits_of(scaled);
  int32_t exponent = (int32_t)(bits - 0x3f3504f3u) >> 23;
  float f = pk_float_of(bits - ((uint32_t)exponent << 23)) - 1.0f;
  float e = (float)(exponent - (small ? 23 : 0));
  float p = 6.746591926e-02f;
  p = p * f - 1.167563880e-01f;
  p = p * f + 1.188817757e-01f;
  p = p * f - 1.240559201e-01f;
  p = p * f + 1.421955056e-01f;
  p = p * f - 1.666799562e-01f;
  p = p * f + 2.000211875e-01f;
  p = p * f - 2.500000960e-01f;
  p = p * f + 3.333331260e-01f;
  float square = f * f;
  float y = p * (f * square) + e * 1.42860677e-6f;
  y = y - 0.5f * square;
  y = (y + f) + e * 0x1.62e4p-1f;
  y = x == INFINITY ? x : y;
  y = x == 0.0f ? -INFINITY : y;
  y = x < 0.0f ? NAN : y;
  return x != x ? x : y;
}

PK_INLINE float pk_logistic(float x) { return 1.0f / (1.0f + pk_exp(-x)); }

// An odd polynomial near 0, elsewhere 1 - 2 / (exp(2x) + 1).
PK_INLINE float pk_tanh(float x) {
  float magnitude = __builtin_elementwise_abs(x);
  float u = x * x;
  float p = -5.905865147e-03f;
  p = p * u + 2.080538165e-02f;
  p = p * u - 5.378668265e-02f;
  p = p * u + 1.333195823e-01f;
  p = p * u - 3.333329927e-01f;
  float near = p * u * x + x;
  float capped = magnitude > 10.0f ? 10.0f : magnitude;
  float far = 1.0f - 2.0f / (pk_exp_small(2.0f * capped) + 1.0f);
  far = __builtin_elementwise_copysign(far, x);
  return magnitude < 0.6f ? near : far;
}

// An odd polynomial below 1, above it 1 - exp(-q(x)) with q fitted to -log(erfc(x)).
PK_INLINE float pk_erf(float x) {
  float magnitude = __builtin_elementwise_abs(x);
  float u = x * x;
  float p = 7.889122673e-05f;
  p = p * u - 8.020842219e-04f;
  p = p * u + 5.189535445e-03f;
  p = p * u - 2.685444465e-02f;
  p = p * u + 1.128360018e-01f;
  p = p * u - 3.761262714e-01f;
  p = p * u + 1.128379166e+00f;
  float near = p * x;
  float y = magnitude > 4.0f ? 4.0f : magnitude;
  float q = 2.242063515e-07f;
  q = q * y + 1.850214753e-05f;
  q = q * y - 4.219622305e-04f;
  q = q * y + 4.138612483e-03f;
  q = q * y - 2.507081848e-02f;
  q = q * y + 1.082389359e-01f;
  q = q * y + 6.333637847e-01f;
  q = q * y + 1.129513809e+00f;
  q = q * y - 1.755776887e-04f;
  float far = __builtin_elementwise_copysign(1.0f - pk_exp_small(-q), x);
  return magnitude < 1.0f ? near : far;
}

// exp in float64 to about 1e-13, for arguments and results that fit in float32; saturates beyond.
PK_INLINE double pk_exp_wide(double x) {
  double y = x < -700.0 ? -700.0 : x;
  y = y > 700.0 ? 700.0 : y;
  double shifted = y * 1.4426950408889634074 + PK_ROUNDER_D;
  double n = shifted - PK_ROUNDER_D;
  double r = y - n * 0.693147180369123816490;
  r = r - n * 1.90821492927058770002e-10;
  double p = 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  uint64_t scale = (pk_bits_of_double(shifted) - pk_bits_of_double(PK_ROUNDER_D) + 1023u) << 52;
  return p * pk_double_of(scale);
}

// log in float64 to about 1e-13 for positive finite arguments, by the series of 2 artanh((m - 1) / (m + 1)).
PK_INLINE double pk_log_wide(double x) {
  uint64_t bits = pk_bits_of_double(x);
  int64_t exponent = (int64_t)(bits - 0x3fe6a09e667f3bcdu) >> 52;
  double m = pk_double_of(bits - ((uint64_t)exponent << 52));
  double s = (m - 1.0) / (m + 1.0);
  double u = s * s;
  double p = 1.0 / 17.0;
  p = p * u + 1.0 / 15.0;
  p = p * u + 1.0 / 13.0;
  p = p * u + 1.0 / 11.0;
  p = p * u + 1.0 / 9.0;
  p = p * u + 1.0 / 7.0;
  p = p * u + 1.0 / 5.0;
  p = p * u + 1.0 / 3.0;
  // The exponent is small, so its conversion goes through 32 bits, which every level can vectorize.
  return 2.0 * s + 2.0 * s * u * p + (double)(int32_t)exponent * 0.693147180559945309417;
}

PK_INLINE float pk_expm1(float x) {
  float near = x + 0.5f * x * x;
  float far = (float)(pk_exp_wide((double)x) - 1.0);
  return __builtin_elementwise_abs(x) < 1e-4f ? near : far;
}

PK_INLINE float pk_log1p(float x) {
  float near = x - 0.5f * x * x;
  double shifted = 1.0 + (double)x;
  float far = (float)pk_log_wide(shifted);
  far = x == INFINITY ? x : far;
  far = x == -1.0f ? -INFINITY : far;
  far = x < -1.0f ? NAN : far;
  float y = __builtin_elementwise_abs(x) < 1e-4f ? near : far;
  return x != x ? x : y;
}

// Follows C's pow for signs, zeros, infinities and NaN.
PK_INLINE float pk_pow(float x, float y) {
  float magnitude = __builtin_elementwise_abs(x);
  double logarithm = pk_log_wide((double)magnitude);
  logarithm = magnitude == 0.0f ? -INFINITY : logarithm;
  logarithm = magnitude == INFINITY ? INFINITY : logarithm;
  float result = (float)pk_exp_wide((double)y * logarithm);
  float size = __builtin_elementwise_abs(y);
  int whole = __builtin_elementwise_trunc(y) == y;
  float half = y * 0.5f;
  int odd = whole & (__builtin_elementwise_trunc(half) != half) & (size < 0x1p24f);
  int negative = (int)(pk_bits_of(x) >> 31);
  result = (negative & odd) ? -result : result;
  result = ((x < 0.0f) & !whole & (magnitude != INFINITY)) ? NAN : result;
  result = ((x != x) | (y != y)) ? NAN : result;
  result = ((magnitude == 1.0f) & (size == INFINITY)) ? 1.0f : result;
  return ((x == 1.0f) | (y == 0.0f)) ? 1.0f : result;
}

// Where pk_sin and pk_cos hold: beyond it the reduction loses digits.
#define PK_TRIGONOMETRIC_LIMIT 1e6f

// sin(x + quarter * pi/2).
PK_INLINE float pk_sin_shifted(float x, uint64_t quarter) {
  double y = (double)x;
  double shifted = y * 0.636619772367581343076 + PK_ROUNDER_D;
  double n = shifted - PK_ROUNDER_D;
  double r = y - n * 1.57079632673412561417;
  r = r - n * 6.07710050650619224932e-11;
  uint64_t quadrant = pk_bits_of_double(shifted) + quarter;
  double u = r * r;
  double s = 1.0 / 6227020800.0;
  s = s * u - 1.0 / 39916800.0;
  s = s * u + 1.0 / 362880.0;
  s = s * u - 1.0 / 5040.0;
  s = s * u + 1.0 / 120.0;
  s = s * u - 1.0 / 6.0;
  s = s * u * r + r;
  double c = 1.0 / 479001600.0;
  c = c * u - 1.0 / 3628800.0;
  c = c * u + 1.0 / 40320.0;
  c = c * u - 1.0 / 720.0;
  c = c * u + 1.0 / 24.0;
  c = c * u - 0.5;
  c = c * u + 1.0;
  double value = (quadrant & 1) ? c : s;
  return (float)((quadrant & 2) ? -value : value);
}

#endif
