// Softmax and log-softmax of one storage type; see rows.h.

#include "max_body.h"
#include "sums_body.h"

// Sum of exp(x - shift); float32 results are kept in y.
PK_LEVELS(double, NAME(exponentials), (S *y, const S *x, float shift, int64_t n), (y, x, shift, n)) {
  double total = 0;
  for (int64_t first = 0; first < n; first += PK_ROW_BLOCK) {
    PK_REASSOCIATE
    int64_t last = pk_min64(n, first + PK_ROW_BLOCK);
    float sum = 0;
    PK_VECTOR for (int64_t i = first; i < last; i++) {
      float e = pk_exp_negative(LOAD(x[i]) - shift);
      if (!NARROW && y) y[i] = STORE(e);
      sum += e;
    }
    total += sum;
  }
  return total;
}

PK_LEVELS(void, NAME(scale), (S *y, const S *x, float shift, float factor, int64_t n),
          (y, x, shift, factor, n)) {
  PK_VECTOR for (int64_t i = 0; i < n; i++) {
    float e = NARROW ? pk_exp_negative(LOAD(x[i]) - shift) : LOAD(y[i]);
    y[i] = STORE(e * factor);
  }
}

PK_LEVELS(void, NAME(subtract), (S *y, const S *x, float shift, float logarithm, int64_t n),
          (y, x, shift, logarithm, n)) {
  PK_VECTOR for (int64_t i = 0; i < n; i++) y[i] = STORE(LOAD(x[i]) - shift - logarithm);
}

static void NAME(softmax)(void *context, int64_t begin, int64_t end) {
  const row_job *job = context;
  for (int64_t r = begin; r < end; r++) {
    const S *x = (const S *)job->x + r * job->n;
    S *y = (S *)job->out + r * job->n;
    float shift = NAME(row_max)(x, job->n);
    double sum = NAME(exponentials)(y, x, shift, job->n);
    NAME(scale)(y, x, shift, (float)(1.0 / sum), job->n);
  }
}

static void NAME(log_softmax)(void *context, int64_t begin, int64_t end) {
  const row_job *job = context;
  for (int64_t r = begin; r < end; r++) {
    const S *x = (const S *)job->x + r * job->n;
    float shift = NAME(row_max)(x, job->n);
    double sum = NAME(exponentials)(NULL, x, shift, job->n);
    NAME(subtract)((S *)job->out + r * job->n, x, shift, (float)log(sum), job->n);
  }
}

PK_LEVELS(double, NAME(dot), (const S *a, const S *b, int64_t n), (a, b, n)) {
  double total = 0;
  for (int64_t first = 0; first < n; first += PK_ROW_BLOCK) {
    PK_REASSOCIATE
    int64_t last = pk_min64(n, first + PK_ROW_BLOCK);
    float sum = 0;
    for (int64_t i = first; i < last; i++) sum += LOAD(a[i]) * LOAD(b[i]);
    total += sum;
  }
  return total;
}

PK_LEVELS(void, NAME(softmax_gradient), (S *dx, const S *dy, const S *y, float dot, int64_t n),
          (dx, dy, y, dot, n)) {
  PK_VECTOR for (int64_t i = 0; i < n; i++) dx[i] = STORE(LOAD(y[i]) * (LOAD(dy[i]) - dot));
}

static void NAME(softmax_backward)(void *context, int64_t begin, int64_t end) {
  const row_job *job = context;
  for (int64_t r = begin; r < end; r++) {
    const S *dy = (const S *)job->dy + r * job->n, *y = (const S *)job->x + r * job->n;
    NAME(softmax_gradient)((S *)job->out + r * job->n, dy, y, (float)NAME(dot)(dy, y, job->n), job->n);
  }
}

PK_LEVELS(void, NAME(log_softmax_gradient), (S *dx, const S *dy, const S *y, float sum, int64_t n),
          (dx, dy, y, sum, n)) {
  PK_VECTOR for (int64_t i = 0; i < n; i++) dx[i] = STORE(LOAD(dy[i]) - pk_exp_negative(LOAD(y[i])) * sum);
}

static void NAME(log_softmax_backward)(void *context, int64_t begin, int64_t end) {
  const row_job *job = context;
  for (int64_t r = begin; r < end; r++) {
    const S *dy = (const S *)job->dy + r * job->n, *y = (const S *)job->x + r * job->n;
    NAME(log_softmax_gradient)((S *)job->out + r * job->n, dy, y, (float)NAME(sum)(dy, job->n), job->n);
  }
}
