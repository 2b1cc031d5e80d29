// Softmax, log-softmax and their gradients.
#include "rows.h"

typedef struct {
  void *out;
  const void *x, *dy;
  int64_t n;
} row_job;

#define BODY "softmax_body.h"
#include "types.h"

// An exponential costs about as much as eight additions.
static int team(int threads, int64_t rows, int64_t n) { return pk_useful_threads(threads, 8 * rows * n); }

pk_status pk_softmax(void *y, const void *x, int64_t rows, int64_t n, pk_dtype dtype, int threads) {
  PK_CHOOSE_ROW(run, softmax);
  row_job job = {y, x, NULL, n};
  pk_parallel_ranges(team(threads, rows, n), rows, run, &job);
  return PK_OK;
}

pk_status pk_log_softmax(void *y, const void *x, int64_t rows, int64_t n, pk_dtype dtype, int threads) {
  PK_CHOOSE_ROW(run, log_softmax);
  row_job job = {y, x, NULL, n};
  pk_parallel_ranges(team(threads, rows, n), rows, run, &job);
  return PK_OK;
}

pk_status pk_softmax_backward(void *dx, const void *dy, const void *y, int64_t rows, int64_t n,
                              pk_dtype dtype, int threads) {
  PK_CHOOSE_ROW(run, softmax_backward);
  row_job job = {dx, y, dy, n};
  pk_parallel_ranges(pk_useful_threads(threads, rows * n), rows, run, &job);
  return PK_OK;
}

pk_status pk_log_softmax_backward(void *dx, const void *dy, const void *y, int64_t rows, int64_t n,
                                  pk_dtype dtype, int threads) {
  PK_CHOOSE_ROW(run, log_softmax_backward);
  row_job job = {dx, y, dy, n};
  pk_parallel_ranges(team(threads, rows, n), rows, run, &job);
  return PK_OK;
}
