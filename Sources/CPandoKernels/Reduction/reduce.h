// A reduction for one element type: what the driver in reduce.c calls.
#ifndef PK_REDUCE_INTERNAL_H
#define PK_REDUCE_INTERNAL_H

#include "pk_reduction.h"

// Accumulators are of a type of their own (float64 for sums of float32), eight bytes at most.
typedef struct pk_reducer {
  size_t accumulator_size;
  void (*clear)(void *accumulators, int64_t n);
  // accumulators[j] takes in elements j * n ..< (j + 1) * n.
  void (*rows)(void *accumulators, const void *elements, int64_t count, int64_t n);
  // accumulators[c] takes in elements r * columns' stride + c for all r.
  void (*columns)(void *accumulators, const void *elements, int64_t rows, int64_t stride, int64_t columns);
  // accumulators[i] takes in others[i].
  void (*combine)(void *accumulators, const void *others, int64_t n);
  // Rounds to the element type.
  void (*finish)(void *dst, const void *accumulators, int64_t n);
} pk_reducer;

// Null where it does not exist.
const pk_reducer *pk_float_reducer(pk_reduction reduction, pk_dtype dtype);
// Sums of a 16-bit type whose results are float32.
const pk_reducer *pk_unrounded_reducer(pk_dtype dtype);
const pk_reducer *pk_whole_reducer(pk_reduction reduction, pk_dtype dtype);

#endif
