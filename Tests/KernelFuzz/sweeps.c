// Weights: drawn, updated, and multiplied by a vector.
#include "fuzz.h"

static void fuzz_draws(void) {
  static const pk_dtype types[] = {PK_F32, PK_F64, PK_BF16, PK_F16};
  pk_dtype t = types[fuzz_below(4)];
  int64_t count = fuzz_size(2000);
  uint64_t seed = fuzz_bits();
  void *x[2], *y[2];
  for (int i = 0; i < 2; i++) {
    x[i] = fuzz_memory(count, pk_size(t)), y[i] = fuzz_memory(count, pk_size(t));
    fuzz_ok("draw_uniform", pk_draw_uniform(x[i], t, count, seed, 7, 0.5, FUZZ_THREADS(i)));
    fuzz_ok("draw_normal", pk_draw_normal(y[i], t, count, seed, 7, 0, 1, FUZZ_THREADS(i)));
  }
  fuzz_same("draw_uniform", x[0], x[1], count, pk_size(t));
  fuzz_same("draw_normal", y[0], y[1], count, pk_size(t));
}

static void fuzz_adam(void) {
  int64_t count = fuzz_size(2000);
  pk_adam rule = {0.9, 0.999, 1e-8, 0.01, (int)fuzz_below(2)};
  float *p = fuzz_tame(count, PK_F32), *g = fuzz_numbers(count, PK_F32), *m = fuzz_tame(count, PK_F32);
  float *v = fuzz_tame(count, PK_F32), *results[2][3];
  for (int i = 0; i < 2; i++) {
    float **r = results[i];
    for (int j = 0; j < 3; j++) r[j] = fuzz_memory(count, 4);
    pk_adam_update(r[0], r[1], r[2], p, g, m, v, count, &rule, 1e-3f, 3, 0.5f, FUZZ_THREADS(i));
  }
  for (int j = 0; j < 3; j++) fuzz_same("adam_update", results[0][j], results[1][j], count, 4);
}

static void fuzz_matrix_vector(void) {
  int64_t rows = fuzz_size(300), n = fuzz_size(300), by_rows = fuzz_below(2), pad = fuzz_below(3);
  int64_t row_stride = by_rows ? n + pad : 1, column_stride = by_rows ? 1 : rows + pad;
  int64_t reach = rows && n ? (rows - 1) * row_stride + (n - 1) * column_stride + 1 : 0;
  float *a = fuzz_tame(reach, PK_F32), *x = fuzz_tame(n, PK_F32), *y[2];
  for (int i = 0; i < 2; i++) {
    y[i] = fuzz_memory(rows, 4);
    fuzz_ok("matrix_vector",
            pk_matrix_vector(y[i], a, x, rows, n, row_stride, column_stride, FUZZ_THREADS(i)));
  }
  fuzz_same("matrix_vector", y[0], y[1], rows, 4);
}

void fuzz_sweeps(void) {
  fuzz_draws();
  fuzz_adam();
  fuzz_matrix_vector();
}
