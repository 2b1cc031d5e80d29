// Products of a float32 matrix and a vector: every element of the matrix is read once, so it is memory that
// counts.
#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "pk_contract.h"

typedef float lanes4 __attribute__((vector_size(16)));
typedef float lanes8 __attribute__((vector_size(32)));
typedef float lanes __attribute__((vector_size(64), aligned(4), may_alias));

#define WIDTH 16
// Rows that one pass over the vector serves, and columns whose sums are kept in registers.
#define ROWS 4
#define COLUMNS 8

PK_INLINE float total(const lanes *vector) {
  lanes x = *vector;
  lanes8 eight = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) +
                 __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
  lanes4 four =
      __builtin_shufflevector(eight, eight, 0, 1, 2, 3) + __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
  return (four[0] + four[2]) + (four[1] + four[3]);
}

// `rows` (a constant) rows that lie along memory. Each row's sum is taken in the same order, whatever `rows`
// is.
PK_INLINE void dot(float *y, const float *a, const float *x, int64_t n, int64_t stride, int rows) {
  lanes even[ROWS], odd[ROWS];
  for (int r = 0; r < rows; r++) even[r] = odd[r] = (lanes){0};
  int64_t k = 0;
  for (; k + 2 * WIDTH <= n; k += 2 * WIDTH) {
    lanes x0 = *(const lanes *)(x + k), x1 = *(const lanes *)(x + k + WIDTH);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      even[r] += x0 * *(const lanes *)(a + r * stride + k);
      odd[r] += x1 * *(const lanes *)(a + r * stride + k + WIDTH);
    }
  }
  if (k + WIDTH <= n) {
    lanes x0 = *(const lanes *)(x + k);
    for (int r = 0; r < rows; r++) even[r] += x0 * *(const lanes *)(a + r * stride + k);
    k += WIDTH;
  }
  for (int r = 0; r < rows; r++) {
    float rest = 0;
    for (int64_t i = k; i < n; i++) rest += x[i] * a[r * stride + i];
    even[r] += odd[r];
    y[r] = total(&even[r]) + rest;
  }
}

PK_LEVELS(void, dot_rows,
          (float *y, const float *a, const float *x, int64_t rows, int64_t n, int64_t stride),
          (y, a, x, rows, n, stride)) {
  int64_t r = 0;
  for (; r + ROWS <= rows; r += ROWS) dot(y + r, a + r * stride, x, n, stride, ROWS);
  for (; r < rows; r++) dot(y + r, a + r * stride, x, n, stride, 1);
}

// `count` (a constant) vectors of neighbouring results, where results run along memory.
PK_INLINE void add_columns(float *y, const float *a, const float *x, int64_t n, int64_t stride, int count) {
  lanes sum[COLUMNS];
  for (int c = 0; c < count; c++) sum[c] = (lanes){0};
  for (int64_t k = 0; k < n; k++) {
#pragma clang loop unroll(full)
    for (int c = 0; c < count; c++) sum[c] += x[k] * *(const lanes *)(a + k * stride + c * WIDTH);
  }
  for (int c = 0; c < count; c++) *(lanes *)(y + c * WIDTH) = sum[c];
}

PK_LEVELS(void, column_sums,
          (float *y, const float *a, const float *x, int64_t rows, int64_t n, int64_t stride),
          (y, a, x, rows, n, stride)) {
  int64_t r = 0;
  for (; r + COLUMNS * WIDTH <= rows; r += COLUMNS * WIDTH) add_columns(y + r, a + r, x, n, stride, COLUMNS);
  for (; r + WIDTH <= rows; r += WIDTH) add_columns(y + r, a + r, x, n, stride, 1);
  for (; r < rows; r++) {
    float sum = 0;
    for (int64_t k = 0; k < n; k++) sum += x[k] * a[k * stride + r];
    y[r] = sum;
  }
}

typedef struct {
  float *y;
  const float *a, *x;
  int64_t rows, n, row_stride, column_stride;
} vector_job;

// Results that a thread takes at a time: whole blocks of either loop, so that cuts change no sum.
#define PIECE (COLUMNS * WIDTH)

static void run(void *context, int64_t begin, int64_t end) {
  const vector_job *job = context;
  int64_t first = begin * PIECE, rows = pk_min64(end * PIECE, job->rows) - first;
  const float *a = job->a + first * job->row_stride;
  if (job->column_stride == 1) {
    dot_rows(job->y + first, a, job->x, rows, job->n, job->row_stride);
  } else {
    column_sums(job->y + first, a, job->x, rows, job->n, job->column_stride);
  }
}

pk_status pk_matrix_vector(float *y, const float *a, const float *x, int64_t rows, int64_t n,
                           int64_t row_stride, int64_t column_stride, int threads) {
  if (column_stride != 1 && row_stride != 1) return PK_INVALID;
  vector_job job = {y, a, x, rows, n, row_stride, column_stride};
  // A multiplication here takes a quarter of the time of what `pk_useful_threads` counts in.
  pk_parallel_ranges(pk_useful_threads(threads, rows * n / 4), pk_ceil_div(rows, PIECE), run, &job);
  return PK_OK;
}
