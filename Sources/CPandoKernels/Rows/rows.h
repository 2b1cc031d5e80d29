// What the row kernels share. The bodies are included once for each storage type, with S, LOAD, STORE and
// NAME defined.
#ifndef PK_ROWS_INTERNAL_H
#define PK_ROWS_INTERNAL_H

#include "../Support/half.h"
#include "../Support/math.h"
#include "../Support/order.h"
#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "pk_rows.h"

// Sums are taken in float32 over this many elements at a time.
#define PK_ROW_BLOCK 256

// exp(x) for x that is not positive; below float32's normal numbers it is 0.
PK_INLINE float pk_exp_negative(float x) {
  float y = x < -87.0f ? -87.0f : x;
  float e = pk_exp_small(y);
  return x < -87.0f ? 0.0f : e;
}

#endif
