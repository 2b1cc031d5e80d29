// Layer norm and RMS norm of one storage type; see rows.h. RMS norm is layer norm with the mean taken as 0.

#include "moments_body.h"
#include "sums_body.h"

PK_LEVELS(void, NAME(apply),
          (S *y, const S *x, const P *gamma, const P *beta, float mean, float rstd, int64_t n),
          (y, x, gamma, beta, mean, rstd, n)) {
  if (gamma && beta) {
    PK_VECTOR for (int64_t i = 0; i < n; i++) {
      y[i] = STORE((LOAD(x[i]) - mean) * rstd * LOAD_PARAMETER(gamma[i]) + LOAD_PARAMETER(beta[i]));
    }
  } else if (gamma) {
    PK_VECTOR for (int64_t i = 0; i < n; i++) y[i] =
        STORE((LOAD(x[i]) - mean) * rstd * LOAD_PARAMETER(gamma[i]));
  } else if (beta) {
    PK_VECTOR for (int64_t i = 0; i < n; i++) y[i] =
        STORE((LOAD(x[i]) - mean) * rstd + LOAD_PARAMETER(beta[i]));
  } else {
    PK_VECTOR for (int64_t i = 0; i < n; i++) y[i] = STORE((LOAD(x[i]) - mean) * rstd);
  }
}

static void NAME(norm)(void *context, int64_t begin, int64_t end) {
  const norm_job *job = context;
  int64_t n = job->n;
  for (int64_t r = begin; r < end; r++) {
    const S *x = (const S *)job->x + r * n;
    // Measured from a first mean, whose rounding the sum of the differences corrects.
    float shift = job->centered ? (float)(NAME(sum)(x, n) / (double)n) : 0;
    double differences = 0, squares = 0, correction = 0;
    NAME(moments)(x, shift, n, &differences, &squares);
    if (job->centered) correction = differences / (double)n;
    float mean = (float)(shift + correction);
    double variance = squares / (double)n - correction * correction;
    float rstd = (float)(1.0 / sqrt(variance + job->epsilon));
    if (job->mean) job->mean[r] = mean;
    if (job->rstd) job->rstd[r] = rstd;
    NAME(apply)((S *)job->y + r * n, x, job->gamma, job->beta, mean, rstd, n);
  }
}

// Sums over a row of g = dy * gamma and of g * xhat.
PK_LEVELS(void, NAME(gradient_sums),
          (const S *dy, const S *x, const P *gamma, float mean, float rstd, int64_t n, double *sum_g,
           double *sum_gx),
          (dy, x, gamma, mean, rstd, n, sum_g, sum_gx)) {
  double total_g = 0, total_gx = 0;
  for (int64_t first = 0; first < n; first += PK_ROW_BLOCK) {
    PK_REASSOCIATE
    int64_t last = pk_min64(n, first + PK_ROW_BLOCK);
    float a = 0, b = 0;
    if (gamma) {
      for (int64_t i = first; i < last; i++) {
        float g = LOAD(dy[i]) * LOAD_PARAMETER(gamma[i]);
        a += g;
        b += g * (LOAD(x[i]) - mean);
      }
    } else {
      for (int64_t i = first; i < last; i++) {
        float g = LOAD(dy[i]);
        a += g;
        b += g * (LOAD(x[i]) - mean);
      }
    }
    total_g += a;
    total_gx += b;
  }
  *sum_g = total_g;
  *sum_gx = total_gx * rstd;
}

// dx = rstd * (g - c1 - xhat * c2); the parameters' gradients grow by this row's share.
PK_LEVELS(void, NAME(gradient),
          (S *dx, float *dgamma, float *dbeta, const S *dy, const S *x, const P *gamma, float mean,
           float rstd, float c1, float c2, int64_t n),
          (dx, dgamma, dbeta, dy, x, gamma, mean, rstd, c1, c2, n)) {
  if (dgamma) {
    PK_VECTOR for (int64_t i = 0; i < n; i++) {
      float xhat = (LOAD(x[i]) - mean) * rstd, d = LOAD(dy[i]);
      dgamma[i] += d * xhat;
      dbeta[i] += d;
    }
  }
  if (gamma) {
    PK_VECTOR for (int64_t i = 0; i < n; i++) {
      float xhat = (LOAD(x[i]) - mean) * rstd;
      dx[i] = STORE(rstd * (LOAD(dy[i]) * LOAD_PARAMETER(gamma[i]) - c1 - xhat * c2));
    }
  } else {
    PK_VECTOR for (int64_t i = 0; i < n; i++) {
      float xhat = (LOAD(x[i]) - mean) * rstd;
      dx[i] = STORE(rstd * (LOAD(dy[i]) - c1 - xhat * c2));
    }
  }
}

// Item: one block of rows, with its own sums for the parameters.
static void NAME(norm_backward)(void *context, int64_t begin, int64_t end) {
  const norm_job *job = context;
  int64_t n = job->n;
  for (int64_t block = begin; block < end; block++) {
    float *dgamma = job->partial ? job->partial + block * 2 * n : NULL;
    float *dbeta = dgamma ? dgamma + n : NULL;
    if (dgamma) memset(dgamma, 0, (size_t)(2 * n) * sizeof(float));
    for (int64_t r = job->rows * block / job->blocks; r < job->rows * (block + 1) / job->blocks; r++) {
      const S *x = (const S *)job->x + r * n, *dy = (const S *)job->dy + r * n;
      float mean = job->centered ? job->mean[r] : 0, rstd = job->rstd[r];
      double sum_g, sum_gx;
      NAME(gradient_sums)(dy, x, job->gamma, mean, rstd, n, &sum_g, &sum_gx);
      float c1 = job->centered ? (float)(sum_g / (double)n) : 0, c2 = (float)(sum_gx / (double)n);
      NAME(gradient)((S *)job->y + r * n, dgamma, dbeta, dy, x, job->gamma, mean, rstd, c1, c2, n);
    }
  }
}

// Adds the blocks' sums in order; an item is one block of columns.
static void NAME(add_blocks)(void *context, int64_t begin, int64_t end) {
  const norm_job *job = context;
  for (int64_t i = begin * COLUMNS; i < pk_min64(end * COLUMNS, job->n); i++) {
    double dgamma = 0, dbeta = 0;
    for (int64_t block = 0; block < job->blocks; block++) {
      dgamma += job->partial[block * 2 * job->n + i];
      dbeta += job->partial[(block * 2 + 1) * job->n + i];
    }
    if (job->dgamma) ((P *)job->dgamma)[i] = STORE_PARAMETER((float)dgamma);
    if (job->dbeta) ((P *)job->dbeta)[i] = STORE_PARAMETER((float)dbeta);
  }
}
