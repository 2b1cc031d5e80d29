// Batch norm of one storage type; see batch_norm.c.

#include "../Rows/moments_body.h"
#include "../Rows/sums_body.h"

// y = x * scale + shift over one run.
PK_LEVELS(void, NAME(affine), (S *y, const S *x, float mean, float scale, float shift, int64_t n),
          (y, x, mean, scale, shift, n)) {
  PK_VECTOR for (int64_t i = 0; i < n; i++) y[i] = STORE((LOAD(x[i]) - mean) * scale + shift);
}

// Sums of dy and of dy * (x - mean) over one run.
PK_LEVELS(void, NAME(pair_sums),
          (const S *dy, const S *x, float mean, int64_t n, double *sum, double *product),
          (dy, x, mean, n, sum, product)) {
  for (int64_t first = 0; first < n; first += PK_ROW_BLOCK) {
    PK_REASSOCIATE
    int64_t last = pk_min64(n, first + PK_ROW_BLOCK);
    float a = 0, b = 0;
    for (int64_t i = first; i < last; i++) {
      float d = LOAD(dy[i]);
      a += d;
      b += d * (LOAD(x[i]) - mean);
    }
    *sum += a;
    *product += b;
  }
}

// dx = (dy - level - (x - mean) * slope) * factor over one run.
PK_LEVELS(void, NAME(input_gradient),
          (S *dx, const S *dy, const S *x, float mean, float level, float slope, float factor, int64_t n),
          (dx, dy, x, mean, level, slope, factor, n)) {
  PK_VECTOR for (int64_t i = 0; i < n; i++) {
    dx[i] = STORE((LOAD(dy[i]) - level - (LOAD(x[i]) - mean) * slope) * factor);
  }
}

// The same four loops where runs are short: one row holds the elements of several channels, and each column
// has its own numbers. Sums are per column.
PK_LEVELS(void, NAME(column_sum), (double *sum, const S *x, int64_t n), (sum, x, n)) {
  PK_VECTOR for (int64_t i = 0; i < n; i++) sum[i] += (double)LOAD(x[i]);
}

PK_LEVELS(void, NAME(column_moments),
          (double *sum, double *squares, const S *x, const float *shift, int64_t n),
          (sum, squares, x, shift, n)) {
  PK_VECTOR for (int64_t i = 0; i < n; i++) {
    float d = LOAD(x[i]) - shift[i];
    sum[i] += (double)d;
    squares[i] += (double)(d * d);
  }
}

PK_LEVELS(void, NAME(column_affine),
          (S *y, const S *x, const float *mean, const float *scale, const float *shift, int64_t n),
          (y, x, mean, scale, shift, n)) {
  PK_VECTOR for (int64_t i = 0; i < n; i++) y[i] = STORE((LOAD(x[i]) - mean[i]) * scale[i] + shift[i]);
}

PK_LEVELS(void, NAME(column_pair_sums),
          (double *sum, double *product, const S *dy, const S *x, const float *mean, int64_t n),
          (sum, product, dy, x, mean, n)) {
  PK_VECTOR for (int64_t i = 0; i < n; i++) {
    float d = LOAD(dy[i]);
    sum[i] += (double)d;
    product[i] += (double)(d * (LOAD(x[i]) - mean[i]));
  }
}

PK_LEVELS(void, NAME(column_input_gradient),
          (S *dx, const S *dy, const S *x, const float *mean, const float *level, const float *slope,
           const float *factor, int64_t n),
          (dx, dy, x, mean, level, slope, factor, n)) {
  PK_VECTOR for (int64_t i = 0; i < n; i++) {
    dx[i] = STORE((LOAD(dy[i]) - level[i] - (LOAD(x[i]) - mean[i]) * slope[i]) * factor[i]);
  }
}

static float NAME(parameter)(const void *values, int64_t c, float otherwise) {
  return values ? LOAD_PARAMETER(((const P *)values)[c]) : otherwise;
}

static void NAME(put_parameter)(void *values, int64_t c, double value) {
  if (values) ((P *)values)[c] = STORE_PARAMETER((float)value);
}

// Mean and variance of channels c ..< c + count, measured from a first mean. With several channels, `columns`
// is scratch memory for their columns.
static void NAME(statistics)(const norm_job *job, int64_t c, int64_t count, columns *columns) {
  int64_t size = job->size, row = job->channels * size, width = count * size;
  const S *x = (const S *)job->x + c * size;
  double elements = (double)(job->n * size), sum[COLUMNS] = {0}, squares[COLUMNS] = {0};
  float shift[COLUMNS];
  for (int64_t i = 0; i < job->n; i++) {
    if (job->group > 1) NAME(column_sum)(sum, x + i * row, width);
    else sum[0] += NAME(sum)(x + i * row, size);
  }
  if (job->group > 1) gather(sum, count, size);
  for (int64_t k = 0; k < count; k++) shift[k] = (float)(sum[k] / elements);
  if (job->group > 1) spread(columns->mean, shift, count, size);
  memset(sum, 0, sizeof sum);
  for (int64_t i = 0; i < job->n; i++) {
    if (job->group > 1) NAME(column_moments)(sum, squares, x + i * row, columns->mean, width);
    else NAME(moments)(x + i * row, shift[0], size, &sum[0], &squares[0]);
  }
  if (job->group > 1) {
    gather(sum, count, size);
    gather(squares, count, size);
  }
  for (int64_t k = 0; k < count; k++) {
    double correction = sum[k] / elements;
    job->mean[c + k] = (float)(shift[k] + correction);
    job->variance[c + k] = (float)(squares[k] / elements - correction * correction);
  }
}

// Item: channels begin * group ..< (begin + 1) * group.
static void NAME(forward)(void *context, int64_t begin, int64_t end) {
  const norm_job *job = context;
  int64_t size = job->size, row = job->channels * size;
  columns columns;
  for (int64_t item = begin; item < end; item++) {
    int64_t c = item * job->group, count = pk_min64(job->group, job->channels - c);
    int together = job->group > 1;
    if (!job->given) NAME(statistics)(job, c, count, &columns);
    float mean[COLUMNS], scale[COLUMNS], shift[COLUMNS];
    for (int64_t k = 0; k < count; k++) {
      double variance = job->given ? NAME(parameter)(job->given_variance, c + k, 0) : job->variance[c + k];
      mean[k] = job->given ? NAME(parameter)(job->given_mean, c + k, 0) : job->mean[c + k];
      scale[k] = (float)(NAME(parameter)(job->gamma, c + k, 1) / sqrt(variance + job->epsilon));
      shift[k] = NAME(parameter)(job->beta, c + k, 0);
    }
    if (together) {
      spread(columns.mean, mean, count, size);
      spread(columns.scale, scale, count, size);
      spread(columns.shift, shift, count, size);
    }
    for (int64_t i = 0; i < job->n; i++) {
      const S *x = (const S *)job->x + i * row + c * size;
      S *y = (S *)job->out + i * row + c * size;
      if (together) NAME(column_affine)(y, x, columns.mean, columns.scale, columns.shift, count * size);
      else NAME(affine)(y, x, mean[0], scale[0], shift[0], size);
    }
  }
}

static void NAME(backward)(void *context, int64_t begin, int64_t end) {
  const norm_job *job = context;
  int64_t size = job->size, row = job->channels * size;
  columns columns;
  for (int64_t item = begin; item < end; item++) {
    int64_t c = item * job->group, count = pk_min64(job->group, job->channels - c), first = c * size;
    int together = job->group > 1;
    double sum[COLUMNS] = {0}, product[COLUMNS] = {0};
    if (together) spread(columns.mean, job->mean + c, count, size);
    for (int64_t i = 0; i < job->n; i++) {
      const S *x = (const S *)job->x + i * row + first, *dy = (const S *)job->dy + i * row + first;
      if (together) {
        NAME(column_pair_sums)(sum, product, dy, x, columns.mean, count * size);
      } else {
        NAME(pair_sums)(dy, x, job->mean[c], size, &sum[0], &product[0]);
      }
    }
    if (together) {
      gather(sum, count, size);
      gather(product, count, size);
    }
    double elements = (double)(job->n * size);
    float level[COLUMNS], slope[COLUMNS], factor[COLUMNS];
    for (int64_t k = 0; k < count; k++) {
      double rstd = 1.0 / sqrt((double)job->variance[c + k] + job->epsilon);
      NAME(put_parameter)(job->dgamma, c + k, product[k] * rstd);
      NAME(put_parameter)(job->dbeta, c + k, sum[k]);
      level[k] = (float)(sum[k] / elements);
      slope[k] = (float)(product[k] * rstd * rstd / elements);
      factor[k] = (float)(NAME(parameter)(job->gamma, c + k, 1) * rstd);
    }
    if (together) {
      spread(columns.scale, level, count, size);
      spread(columns.shift, slope, count, size);
      spread(columns.factor, factor, count, size);
    }
    for (int64_t i = 0; i < job->n; i++) {
      const S *x = (const S *)job->x + i * row + first, *dy = (const S *)job->dy + i * row + first;
      S *dx = (S *)job->out + i * row + first;
      if (together) {
        NAME(column_input_gradient)(dx, dy, x, columns.mean, columns.scale, columns.shift, columns.factor,
                                    count * size);
      } else {
        NAME(input_gradient)(dx, dy, x, job->mean[c], level[0], slope[0], factor[0], size);
      }
    }
  }
}
