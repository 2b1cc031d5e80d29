// Kernels over rows and channels.
#include "fuzz.h"

static pk_dtype row_type(void) { return fuzz_below(2) ? PK_F32 : PK_BF16; }

static void fuzz_softmax(int64_t rows, int64_t n, pk_dtype t) {
  size_t size = pk_size(t);
  void *x = fuzz_numbers(rows * n, t), *dy = fuzz_numbers(rows * n, t), *y[2], *dx[2];
  for (int i = 0; i < 2; i++) {
    y[i] = fuzz_memory(rows * n, size), dx[i] = fuzz_memory(rows * n, size);
    fuzz_ok("softmax", pk_softmax(y[i], x, rows, n, t, FUZZ_THREADS(i)));
    fuzz_ok("softmax_backward", pk_softmax_backward(dx[i], dy, y[i], rows, n, t, FUZZ_THREADS(i)));
  }
  fuzz_same("softmax", y[0], y[1], rows * n, size);
  fuzz_same("softmax_backward", dx[0], dx[1], rows * n, size);
  for (int i = 0; i < 2; i++) {
    fuzz_ok("log_softmax", pk_log_softmax(y[i], x, rows, n, t, FUZZ_THREADS(i)));
    fuzz_ok("log_softmax_backward", pk_log_softmax_backward(dx[i], dy, y[i], rows, n, t, FUZZ_THREADS(i)));
  }
  fuzz_same("log_softmax", y[0], y[1], rows * n, size);
  fuzz_same("log_softmax_backward", dx[0], dx[1], rows * n, size);
}

static void fuzz_cross_entropy(int64_t rows, int64_t n, pk_dtype t) {
  void *x = fuzz_tame(rows * n, t);
  int32_t *labels = fuzz_memory(rows, 4);
  float *dloss = fuzz_tame(rows, PK_F32), *loss[2], *lse[2];
  void *dx[2];
  for (int64_t r = 0; r < rows; r++) labels[r] = (int32_t)(fuzz_below(n + 4) - 2);
  for (int i = 0; i < 2; i++) {
    loss[i] = fuzz_memory(rows, 4), lse[i] = fuzz_memory(rows, 4), dx[i] = fuzz_memory(rows * n, pk_size(t));
    fuzz_ok("cross_entropy",
            pk_cross_entropy(loss[i], lse[i], x, labels, rows, n, 0.1, -1, t, FUZZ_THREADS(i)));
    fuzz_ok("cross_entropy_backward",
            pk_cross_entropy_backward(dx[i], dloss, x, lse[i], labels, rows, n, 0.1, -1, t, FUZZ_THREADS(i)));
  }
  fuzz_same("cross_entropy", loss[0], loss[1], rows, 4);
  fuzz_same("cross_entropy_backward", dx[0], dx[1], rows * n, pk_size(t));
}

static void fuzz_norms(int64_t rows, int64_t n, pk_dtype t) {
  pk_dtype p = fuzz_below(2) ? PK_F32 : t;
  int has = (int)fuzz_below(2);
  void *x = fuzz_tame(rows * n, t), *dy = fuzz_tame(rows * n, t);
  void *gamma = has ? fuzz_tame(n, p) : NULL, *beta = has ? fuzz_tame(n, p) : NULL;
  void *workspace = fuzz_workspace(pk_norm_workspace(rows, n)), *y[2], *dx[2], *dgamma[2], *dbeta[2];
  for (int i = 0; i < 2; i++) {
    float *mean = fuzz_memory(rows, 4), *rstd = fuzz_memory(rows, 4);
    y[i] = fuzz_memory(rows * n, pk_size(t)), dx[i] = fuzz_memory(rows * n, pk_size(t));
    dgamma[i] = fuzz_memory(n, pk_size(p)), dbeta[i] = fuzz_memory(n, pk_size(p));
    int threads = FUZZ_THREADS(i);
    fuzz_ok("layer_norm", pk_layer_norm(y[i], mean, rstd, x, gamma, beta, rows, n, 1e-5, t, p, threads));
    fuzz_ok("layer_norm_backward", pk_layer_norm_backward(dx[i], dgamma[i], dbeta[i], dy, x, gamma, mean,
                                                          rstd, rows, n, t, p, workspace, threads));
    fuzz_ok("rms_norm", pk_rms_norm(y[i], rstd, x, gamma, rows, n, 1e-5, t, p, threads));
    fuzz_ok("rms_norm_backward",
            pk_rms_norm_backward(dx[i], dgamma[i], dy, x, gamma, rstd, rows, n, t, p, workspace, threads));
  }
  fuzz_same("norm", y[0], y[1], rows * n, pk_size(t));
  fuzz_same("norm_backward", dx[0], dx[1], rows * n, pk_size(t));
  fuzz_same("norm_backward of gamma", dgamma[0], dgamma[1], n, pk_size(p));
  fuzz_same("norm_backward of beta", dbeta[0], dbeta[1], n, pk_size(p));
}

void fuzz_rows(void) {
  int64_t n = fuzz_size(2000), rows = fuzz_size(n > 100 ? 65 : 300);
  pk_dtype t = row_type();
  if (n == 0) n = 1;
  fuzz_softmax(rows, n, t);
  fuzz_cross_entropy(rows, n, t);
  fuzz_norms(rows, n, t);
}

void fuzz_channels(void) {
  int64_t size = fuzz_size(300), channels = fuzz_size(65), n = fuzz_size(17);
  pk_dtype t = row_type(), p = fuzz_below(2) ? PK_F32 : t;
  int64_t count = n * channels * size;
  if (count == 0) return;
  void *x = fuzz_tame(count, t), *dy = fuzz_tame(count, t);
  void *gamma = fuzz_below(2) ? fuzz_tame(channels, p) : NULL, *beta = gamma ? fuzz_tame(channels, p) : NULL;
  void *y[2], *dx[2], *z[2];
  for (int i = 0; i < 2; i++) {
    float *mean = fuzz_memory(channels, 4), *variance = fuzz_memory(channels, 4);
    void *given = fuzz_tame(channels, p), *spread = fuzz_tame(channels, p);
    memset(given, 0, (size_t)channels * pk_size(p)), memset(spread, 0, (size_t)channels * pk_size(p));
    y[i] = fuzz_memory(count, pk_size(t)), dx[i] = fuzz_memory(count, pk_size(t)),
    z[i] = fuzz_memory(count, pk_size(t));
    void *dgamma = fuzz_memory(channels, pk_size(p)), *dbeta = fuzz_memory(channels, pk_size(p));
    int threads = FUZZ_THREADS(i);
    fuzz_ok("batch_norm",
            pk_batch_norm(y[i], mean, variance, x, gamma, beta, n, channels, size, 1e-5, t, p, threads));
    fuzz_ok("batch_norm_backward", pk_batch_norm_backward(dx[i], dgamma, dbeta, dy, x, gamma, mean, variance,
                                                          n, channels, size, 1e-5, t, p, threads));
    fuzz_ok("batch_norm_inference", pk_batch_norm_inference(z[i], x, gamma, beta, given, spread, n, channels,
                                                            size, 1e-5, t, p, threads));
  }
  fuzz_same("batch_norm", y[0], y[1], count, pk_size(t));
  fuzz_same("batch_norm_backward", dx[0], dx[1], count, pk_size(t));
  fuzz_same("batch_norm_inference", z[0], z[1], count, pk_size(t));
}
