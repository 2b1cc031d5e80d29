// The one matrix product that attention and convolutions are made of, for tiles that lie in the cache.
#ifndef PK_PRODUCT_H
#define PK_PRODUCT_H

#include <stdint.h>

// C[m, n] += A[m, k] B[k, n]. Element (i, p) of A lies at i * a_row + p * a_column; rows of B and C are
// contiguous, `b_row` and `c_row` apart. n must be a multiple of 16.
void pk_product(float *c, int64_t c_row, const float *a, int64_t a_row, int64_t a_column, const float *b,
                int64_t b_row, int64_t m, int64_t n, int64_t k);

// Rows of C that are made at once.
int64_t pk_product_rows(void);

#endif
