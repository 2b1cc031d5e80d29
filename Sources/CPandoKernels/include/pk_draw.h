/// Random numbers for weights: whole tensors filled at once, in float64 and rounded once.
#ifndef PK_DRAW_H
#define PK_DRAW_H

#include "pk_types.h"

/// `dst[i]` uniform in ±`bound`: (2 u - 1) · bound with u the highest 24 bits of word i of the stream, which is
/// numbered as in `pk_tile.h` at step 0. Floating-point types only; others are `PK_UNSUPPORTED`.
pk_status pk_draw_uniform(void *dst, pk_dtype dtype, int64_t count, uint64_t seed, uint32_t stream,
                          double bound, int threads);

/// `dst[i]` normal: mean + deviation · √(-2 log u) · cos(2πv), u and v from words 2i and 2i + 1 of the stream; u
/// is never 0. Floating-point types only.
pk_status pk_draw_normal(void *dst, pk_dtype dtype, int64_t count, uint64_t seed, uint32_t stream,
                         double mean, double deviation, int threads);

#endif
