// bfloat16 and float16 by integer arithmetic, which every vector unit has.
#ifndef PK_HALF_H
#define PK_HALF_H

#include "simd.h"

PK_INLINE float pk_from_bf16(uint16_t x) { return pk_float_of((uint32_t)x << 16); }

// Round to nearest even; NaN keeps its sign and stays a quiet NaN.
PK_INLINE uint16_t pk_to_bf16(float x) {
  uint32_t bits = pk_bits_of(x);
  uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  uint32_t quiet = (bits >> 16) | 0x40u;
  return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
}

// The exponent is moved by multiplication by 2^112, which also normalizes float16's subnormal numbers.
PK_INLINE float pk_from_f16(uint16_t x) {
  uint32_t magnitude = (uint32_t)(x & 0x7fffu) << 13;
  uint32_t scaled = pk_bits_of(pk_float_of(magnitude) * 0x1p112f);
  uint32_t special = magnitude | 0x7f800000u;
  uint32_t bits = magnitude >= 0x0f800000u ? special : scaled;
  return pk_float_of(bits | (uint32_t)(x & 0x8000u) << 16);
}

// Round to nearest even. Subnormal results are rounded by adding 0.5, whose last bit has float16's smallest
// weight.
PK_INLINE uint16_t pk_to_f16(float x) {
  uint32_t bits = pk_bits_of(x);
  uint32_t sign = (bits >> 16) & 0x8000u;
  uint32_t magnitude = bits & 0x7fffffffu;
  uint32_t subnormal = pk_bits_of(pk_float_of(magnitude) + 0.5f) - 0x3f000000u;
  uint32_t normal = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  uint32_t result = magnitude < 0x38800000u ? subnormal : normal;
  result = magnitude >= 0x477ff000u ? 0x7c00u : result;
  result = magnitude > 0x7f800000u ? 0x7e00u : result;
  return (uint16_t)(sign | result);
}

#endif
