// Convolutions by Winograd's method, against sums of products in double.
#include <math.h>

#include "fuzz.h"

// Where an element of an image in blocks lies.
static int64_t place(int64_t n, int64_t c, int64_t row, int64_t column, int64_t channels, int64_t height, int64_t width,
                     int64_t block) {
  return (((n * (channels / block) + c / block) * height + row) * width + column) * block + c % block;
}

static int64_t block_of(int64_t channels) { return fuzz_below(2) ? 16 : channels; }

static void compare(const char *what, const float *made, const double *expected, int64_t count, double scale) {
  for (int64_t i = 0; i < count; i++) {
    if (fabs(made[i] - expected[i]) <= 1e-4 * scale) continue;
    fprintf(stderr, "error: %s: %g at %lld, expected %g\n", what, made[i], (long long)i, expected[i]);
    exit(1);
  }
}

void fuzz_winograd(void) {
  pk_winograd s = {.n = fuzz_below(3) + 1, .in_channels = 16 * (fuzz_below(3) + 1),
                   .out_channels = 16 * (fuzz_below(6) + 1), .height = fuzz_below(11) + 1,
                   .width = fuzz_below(11) + 1, .top = fuzz_below(3), .left = fuzz_below(3)};
  // So many samples that tiles come in several parts, and so many channels that filters wait for tiles, now and then.
  if (fuzz_below(8) == 0) s.n = 200, s.in_channels = 16, s.out_channels = 32, s.height = s.width = 5;
  if (fuzz_below(8) == 0) s.n = 1, s.in_channels = 144, s.out_channels = 128;
  s.out_height = s.height + s.top + fuzz_below(3) - 2, s.out_width = s.width + s.left + fuzz_below(3) - 2;
  s.x_block = block_of(s.in_channels), s.y_block = block_of(s.out_channels);
  int64_t x_count = s.n * s.in_channels * s.height * s.width, w_count = s.in_channels * s.out_channels * 9;
  float dummy = 0;
  pk_winograd_epilogue e = {0};
  if (s.out_height < 1 || s.out_width < 1) {
    if (pk_winograd_forward(&dummy, &dummy, &dummy, 0, &s, &e, &dummy, 1) == PK_INVALID) return;
    fprintf(stderr, "error: winograd: took an output without pixels\n");
    exit(1);
  }
  int64_t y_count = s.n * s.out_channels * s.out_height * s.out_width;
  float *x = fuzz_tame(x_count, PK_F32), *w = fuzz_tame(w_count, PK_F32), *dy = fuzz_tame(y_count, PK_F32);
  float *residual = fuzz_tame(y_count, PK_F32), *y[2], *dx[2], *dw[2];
  if (fuzz_below(2)) e.bias = fuzz_tame(s.out_channels, PK_F32);
  if (fuzz_below(2)) e.residual = residual;
  e.rectifies = (int)fuzz_below(2);
  for (int i = 0; i < 2; i++) {
    int threads = FUZZ_THREADS(i);
    y[i] = fuzz_memory(y_count, 4), dx[i] = fuzz_memory(x_count, 4), dw[i] = fuzz_memory(w_count, 4);
    // Filters that were transformed before give the same bits.
    float *filters = i == 0 ? w : fuzz_workspace(pk_winograd_packed_bytes(&s));
    if (i == 1) fuzz_ok("winograd pack", pk_winograd_pack(filters, w, &s, threads));
    fuzz_ok("winograd forward", pk_winograd_forward(y[i], x, filters, i, &s, &e,
                                                    fuzz_workspace(pk_winograd_forward_workspace(&s, i, threads)),
                                                    threads));
    fuzz_ok("winograd input gradient",
            pk_winograd_input_gradient(dx[i], dy, w, &s,
                                       fuzz_workspace(pk_winograd_input_gradient_workspace(&s, threads)), threads));
    fuzz_ok("winograd weight gradient",
            pk_winograd_weight_gradient(dw[i], x, dy, &s,
                                        fuzz_workspace(pk_winograd_weight_gradient_workspace(&s, threads)), threads));
  }
  fuzz_same("winograd forward", y[0], y[1], y_count, 4);
  fuzz_same("winograd input gradient", dx[0], dx[1], x_count, 4);
  fuzz_same("winograd weight gradient", dw[0], dw[1], w_count, 4);

  double *wanted_y = fuzz_memory(y_count, 8), *wanted_dx = fuzz_memory(x_count, 8), *wanted_dw = fuzz_memory(w_count, 8);
  memset(wanted_y, 0, (size_t)y_count * 8), memset(wanted_dx, 0, (size_t)x_count * 8);
  memset(wanted_dw, 0, (size_t)w_count * 8);
  for (int64_t n = 0; n < s.n; n++) {
    for (int64_t k = 0; k < s.out_channels; k++) {
      for (int64_t row = 0; row < s.out_height; row++) {
        for (int64_t column = 0; column < s.out_width; column++) {
          int64_t at = place(n, k, row, column, s.out_channels, s.out_height, s.out_width, s.y_block);
          for (int tap = 0; tap < 9; tap++) {
            int64_t r = row + tap / 3 - s.top, c = column + tap % 3 - s.left;
            if (r < 0 || c < 0 || r >= s.height || c >= s.width) continue;
            for (int64_t channel = 0; channel < s.in_channels; channel++) {
              int64_t from = place(n, channel, r, c, s.in_channels, s.height, s.width, s.x_block);
              int64_t filter = (k * s.in_channels + channel) * 9 + tap;
              wanted_y[at] += (double)x[from] * w[filter];
              wanted_dx[from] += (double)dy[at] * w[filter];
              wanted_dw[filter] += (double)x[from] * dy[at];
            }
          }
          if (e.bias) wanted_y[at] += e.bias[k];
          if (e.residual) wanted_y[at] += residual[at];
          if (e.rectifies && wanted_y[at] < 0) wanted_y[at] = 0;
        }
      }
    }
  }
  double most = 1;
  for (int64_t i = 0; i < x_count; i++) most = fmax(most, fabs(x[i]));
  for (int64_t i = 0; i < w_count; i++) most = fmax(most, fabs(w[i]));
  for (int64_t i = 0; i < y_count; i++) most = fmax(most, fabs(dy[i]));
  compare("winograd forward", y[0], wanted_y, y_count, most * most * sqrt((double)(9 * s.in_channels)));
  compare("winograd input gradient", dx[0], wanted_dx, x_count, most * most * sqrt((double)(9 * s.out_channels)));
  compare("winograd weight gradient", dw[0], wanted_dw, w_count,
          most * most * sqrt((double)(s.n * s.out_height * s.out_width)));
}
