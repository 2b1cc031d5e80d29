// Cross entropy of one storage type; see rows.h.

#include "max_body.h"

// Sum of exp(x - shift), and of x - shift.
PK_LEVELS(void, NAME(row_sums),
          (const S *x, float shift, int64_t n, double *exponentials, double *differences),
          (x, shift, n, exponentials, differences)) {
  double total_e = 0, total_d = 0;
  for (int64_t first = 0; first < n; first += PK_ROW_BLOCK) {
    PK_REASSOCIATE
    int64_t last = pk_min64(n, first + PK_ROW_BLOCK);
    float e = 0, d = 0;
    for (int64_t i = first; i < last; i++) {
      float difference = LOAD(x[i]) - shift;
      e += pk_exp_negative(difference);
      d += difference;
    }
    total_e += e;
    total_d += d;
  }
  *exponentials = total_e;
  *differences = total_d;
}

static void NAME(cross_entropy)(void *context, int64_t begin, int64_t end) {
  const loss_job *job = context;
  double s = job->smoothing;
  for (int64_t r = begin; r < end; r++) {
    const S *x = (const S *)job->x + r * job->n;
    int32_t label = job->labels[r];
    float shift = NAME(row_max)(x, job->n);
    double exponentials, differences;
    NAME(row_sums)(x, shift, job->n, &exponentials, &differences);
    double logarithm = log(exponentials);
    if (job->lse) job->lse[r] = (float)(logarithm + shift);
    if (label == job->ignored) {
      job->loss[r] = 0;
    } else if (label < 0 || label >= job->n) {
      job->loss[r] = NAN;
    } else {
      // Everything is measured from the row's maximum, so large logits cost no digits.
      double loss = logarithm - (1 - s) * ((double)LOAD(x[label]) - shift);
      // A smoothing of 0 must not turn an infinite logit elsewhere into NaN.
      if (s != 0) loss -= s * differences / (double)job->n;
      job->loss[r] = (float)loss;
    }
  }
}

PK_LEVELS(void, NAME(gradient), (S *dx, const S *x, float lse, float scale, float spread, int64_t n),
          (dx, x, lse, scale, spread, n)) {
  PK_VECTOR for (int64_t i = 0; i < n; i++) {
    dx[i] = STORE(scale * (pk_exp_negative(LOAD(x[i]) - lse) - spread));
  }
}

static void NAME(cross_entropy_backward)(void *context, int64_t begin, int64_t end) {
  const loss_job *job = context;
  float spread = (float)(job->smoothing / (double)job->n);
  for (int64_t r = begin; r < end; r++) {
    const S *x = (const S *)job->x + r * job->n;
    S *dx = (S *)job->dx + r * job->n;
    int32_t label = job->labels[r];
    if (label == job->ignored) {
      memset(dx, 0, (size_t)job->n * sizeof *dx);
      continue;
    }
    int inside = label >= 0 && label < job->n;
    float scale = inside ? job->dloss[r] : NAN;
    // Taken before dx is written, which may be x.
    float own = inside ? pk_exp_negative(LOAD(x[label]) - job->saved[r]) : 0;
    NAME(gradient)(dx, x, job->saved[r], scale, spread, job->n);
    if (inside) dx[label] = STORE(scale * (own - spread - (float)(1 - job->smoothing)));
  }
}
