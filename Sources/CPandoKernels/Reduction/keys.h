// Keys: unsigned whole numbers in the order of the elements, so that sorting knows one type only.
#ifndef PK_KEYS_H
#define PK_KEYS_H

#include "pk_types.h"

// The keys of `n` elements that lie `stride` apart. NaN is above every number, -0 equals 0. `flip` reverses
// the order.
void pk_order_keys(uint64_t *keys, const void *src, int64_t stride, int64_t n, pk_dtype dtype, int flip);

#endif
