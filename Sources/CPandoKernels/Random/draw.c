// Random numbers for weights. An element depends on its place only, so threads may share the work in any way.
#include "pk_draw.h"

#include "../Support/half.h"
#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "philox.h"

// Elements drawn at a time; two words for each fit in the cache beside them.
#define CHUNK 512

typedef struct {
  void *dst;
  pk_dtype dtype;
  int64_t count;
  uint64_t seed;
  uint32_t stream;
  int is_normal;
  double mean, scale;
} pk_draw;

// log of u in (0, 1], which is a multiple of 2^-25, to the last bits of float64: the series of
// 2 artanh((m - 1) / (m + 1)) for the mantissa m in [√½, √2).
PK_INLINE double log_unit(double u) {
  uint64_t bits = pk_bits_of_double(u);
  int32_t exponent = (int32_t)((int64_t)(bits - 0x3fe6a09e667f3bcdu) >> 52);
  double m = pk_double_of(bits - ((uint64_t)(int64_t)exponent << 52));
  double s = (m - 1.0) / (m + 1.0);
  double x = s * s;
  double p = 1.0 / 23.0;
  p = p * x + 1.0 / 21.0;
  p = p * x + 1.0 / 19.0;
  p = p * x + 1.0 / 17.0;
  p = p * x + 1.0 / 15.0;
  p = p * x + 1.0 / 13.0;
  p = p * x + 1.0 / 11.0;
  p = p * x + 1.0 / 9.0;
  p = p * x + 1.0 / 7.0;
  p = p * x + 1.0 / 5.0;
  p = p * x + 1.0 / 3.0;
  double e = (double)exponent;
  return e * 0x1.62e42fefa38p-1 + (2.0 * s + (2.0 * s * x * p + e * 0x1.ef35793c7673p-45));
}

// cos(2πv) for v in [0, 1), a multiple of 2^-24: the quarter turn is taken off exactly.
PK_INLINE double cos_turn(uint32_t v) {
  uint32_t quarter = (v + (1u << 21)) >> 22;
  double r = (double)((int32_t)v - (int32_t)(quarter << 22)) * (0x1.921fb54442d18p+2 * 0x1p-24);
  double x = r * r;
  double s = 1.0 / 1307674368000.0;
  s = 1.0 / 6227020800.0 - s * x;
  s = s * x - 1.0 / 39916800.0;
  s = s * x + 1.0 / 362880.0;
  s = s * x - 1.0 / 5040.0;
  s = s * x + 1.0 / 120.0;
  s = s * x - 1.0 / 6.0;
  s = s * x * r + r;
  double c = 1.0 / 20922789888000.0;
  c = c * x - 1.0 / 87178291200.0;
  c = c * x + 1.0 / 479001600.0;
  c = c * x - 1.0 / 3628800.0;
  c = c * x + 1.0 / 40320.0;
  c = c * x - 1.0 / 720.0;
  c = c * x + 1.0 / 24.0;
  c = c * x - 0.5;
  c = c * x + 1.0;
  double value = (quarter & 1) ? s : c;
  return ((quarter + 1) & 2) ? -value : value;
}

PK_LEVELS(void, make_normal, (double *out, const uint32_t *words, int64_t n, double mean, double scale),
          (out, words, n, mean, scale)) {
  PK_VECTOR for (int64_t i = 0; i < n; i++) {
    double u = (double)(int32_t)(words[2 * i] >> 8) * 0x1p-24 + 0x1p-25;
    out[i] = mean + scale * __builtin_elementwise_sqrt(-2.0 * log_unit(u)) * cos_turn(words[2 * i + 1] >> 8);
  }
}

PK_LEVELS(void, make_uniform, (double *out, const uint32_t *words, int64_t n, double bound),
          (out, words, n, bound)) {
  PK_VECTOR for (int64_t i = 0; i < n; i++) {
    out[i] = ((double)(int32_t)(words[i] >> 8) * 0x1p-23 - 1.0) * bound;
  }
}

static void store(const pk_draw *draw, int64_t first, const double *values, int64_t n) {
  switch (draw->dtype) {
    case PK_F64: memcpy((double *)draw->dst + first, values, (size_t)n * sizeof *values); return;
    case PK_F32: {
      float *out = (float *)draw->dst + first;
      PK_VECTOR for (int64_t i = 0; i < n; i++) out[i] = (float)values[i];
      return;
    }
    case PK_BF16: {
      uint16_t *out = (uint16_t *)draw->dst + first;
      for (int64_t i = 0; i < n; i++) out[i] = pk_to_bf16((float)values[i]);
      return;
    }
    case PK_F16: {
      uint16_t *out = (uint16_t *)draw->dst + first;
      for (int64_t i = 0; i < n; i++) out[i] = pk_to_f16((float)values[i]);
      return;
    }
    default: return;
  }
}

static void draw_chunks(void *context, int64_t begin, int64_t end) {
  const pk_draw *draw = context;
  _Alignas(64) uint32_t words[2 * CHUNK];
  _Alignas(64) double values[CHUNK];
  int64_t each = draw->is_normal ? 2 : 1;
  for (int64_t chunk = begin; chunk < end; chunk++) {
    int64_t first = chunk * CHUNK, n = pk_min64(CHUNK, draw->count - first);
    pk_philox_words(words, (uint64_t)(first * each), n * each, draw->seed, 0, draw->stream);
    if (draw->is_normal) {
      make_normal(values, words, n, draw->mean, draw->scale);
    } else {
      make_uniform(values, words, n, draw->scale);
    }
    store(draw, first, values, n);
  }
}

static pk_status run(pk_draw draw, int threads) {
  if (draw.count < 0) return PK_INVALID;
  if (draw.dtype > PK_F16) return PK_UNSUPPORTED;
  // A number costs some tens of additions.
  int useful = pk_useful_threads(threads, draw.count * 16);
  pk_parallel_ranges(useful, pk_ceil_div(draw.count, CHUNK), draw_chunks, &draw);
  return PK_OK;
}

pk_status pk_draw_uniform(void *dst, pk_dtype dtype, int64_t count, uint64_t seed, uint32_t stream,
                          double bound, int threads) {
  return run((pk_draw){dst, dtype, count, seed, stream, 0, 0, bound}, threads);
}

pk_status pk_draw_normal(void *dst, pk_dtype dtype, int64_t count, uint64_t seed, uint32_t stream,
                         double mean, double deviation, int threads) {
  return run((pk_draw){dst, dtype, count, seed, stream, 1, mean, deviation}, threads);
}
