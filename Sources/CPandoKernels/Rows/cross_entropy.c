// Cross entropy with whole-number labels.
#include "rows.h"

typedef struct {
  float *loss, *lse;
  void *dx;
  const void *x;
  const float *dloss, *saved;
  const int32_t *labels;
  int64_t n;
  double smoothing;
  int32_t ignored;
} loss_job;

#define BODY "cross_entropy_body.h"
#include "types.h"

pk_status pk_cross_entropy(float *loss, float *lse, const void *x, const int32_t *labels, int64_t rows,
                           int64_t n, double smoothing, int32_t ignored, pk_dtype dtype, int threads) {
  PK_CHOOSE_ROW(run, cross_entropy);
  loss_job job = {
      .loss = loss, .lse = lse, .x = x, .labels = labels, .n = n, .smoothing = smoothing, .ignored = ignored};
  pk_parallel_ranges(pk_useful_threads(threads, 8 * rows * n), rows, run, &job);
  return PK_OK;
}

pk_status pk_cross_entropy_backward(void *dx, const float *dloss, const void *x, const float *lse,
                                    const int32_t *labels, int64_t rows, int64_t n, double smoothing,
                                    int32_t ignored, pk_dtype dtype, int threads) {
  PK_CHOOSE_ROW(run, cross_entropy_backward);
  loss_job job = {.dx = dx,
                  .x = x,
                  .dloss = dloss,
                  .saved = lse,
                  .labels = labels,
                  .n = n,
                  .smoothing = smoothing,
                  .ignored = ignored};
  pk_parallel_ranges(pk_useful_threads(threads, 8 * rows * n), rows, run, &job);
  return PK_OK;
}
