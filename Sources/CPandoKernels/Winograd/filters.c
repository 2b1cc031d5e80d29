#include "filters.h"

#include "../Support/transpose.h"
#include "points.h"

filters pk_winograd_filters(const pk_winograd *s, int is_turned) {
  int64_t outer = s->in_channels * 9;
  return is_turned ? (filters){s->out_channels, s->in_channels, outer, 9, 1}
                   : (filters){s->in_channels, s->out_channels, 9, outer, 0};
}

// The nine numbers of 16 filters that lie `step` apart, number by number.
PK_INLINE void load_taps(float taps[9][LANES], const float *w, int64_t step) {
  for (int lane = 0; lane < LANES; lane += 8) {
    pk_transpose_8x8((uint32_t *)&taps[0][lane], LANES, (const uint32_t *)(w + lane * step), step);
  }
  for (int lane = 0; lane < LANES; lane++) taps[8][lane] = w[lane * step + 8];
}

PK_INLINE void store_taps(float *w, int64_t step, float taps[9][LANES]) {
  for (int lane = 0; lane < LANES; lane += 8) {
    pk_transpose_8x8((uint32_t *)(w + lane * step), step, (const uint32_t *)&taps[0][lane], LANES);
  }
  for (int lane = 0; lane < LANES; lane++) w[lane * step + 8] = taps[8][lane];
}

PK_LEVELS(void, filter_panel,
          (float *planes, int64_t stride, const float *w, const filters *f, int64_t column, int64_t width,
           int64_t begin, int64_t end),
          (planes, stride, w, f, column, width, begin, end)) {
  for (int64_t at = 0; at < width; at += LANES) {
    for (int64_t row = begin; row < end; row++) {
      float taps[9][LANES];
      load_taps(taps, w + row * f->row_stride + (column + at) * f->column_stride, f->column_stride);
      lanes half[6][3];
      for (int c = 0; c < 3; c++) {
        lanes taken[3], made[6];
        for (int r = 0; r < 3; r++) taken[r] = *(const lanes *)taps[f->is_turned ? 8 - r * 3 - c : r * 3 + c];
        filter_row(made, taken);
        for (int r = 0; r < 6; r++) half[r][c] = made[r];
      }
      float *target = planes + row * width + at;
      for (int r = 0; r < 6; r++) {
        lanes made[6];
        filter_row(made, half[r]);
        for (int c = 0; c < 6; c++) *(lanes *)(target + (r * 6 + c) * stride) = made[c];
      }
    }
  }
}

void pk_winograd_filter(float *planes, int64_t stride, const float *w, const filters *f, int64_t column, int64_t width,
                        int64_t begin, int64_t end) {
  filter_panel(planes, stride, w, f, column, width, begin, end);
}

PK_LEVELS(void, filter_gradient_panel,
          (float *dw, const float *planes, int64_t stride, const filters *f, int64_t column, int64_t width,
           int64_t begin, int64_t end),
          (dw, planes, stride, f, column, width, begin, end)) {
  for (int64_t at = 0; at < width; at += LANES) {
    for (int64_t row = begin; row < end; row++) {
      const float *source = planes + (row - begin) * width + at;
      lanes half[3][6];
      for (int c = 0; c < 6; c++) {
        lanes taken[6], made[3];
        for (int r = 0; r < 6; r++) taken[r] = *(const lanes *)(source + (r * 6 + c) * stride);
        filter_gradient_row(made, taken);
        for (int r = 0; r < 3; r++) half[r][c] = made[r];
      }
      float taps[9][LANES];
      for (int r = 0; r < 3; r++) {
        lanes made[3];
        filter_gradient_row(made, half[r]);
        for (int c = 0; c < 3; c++) *(lanes *)taps[r * 3 + c] = made[c];
      }
      store_taps(dw + row * f->row_stride + (column + at) * f->column_stride, f->column_stride, taps);
    }
  }
}

void pk_winograd_filter_gradient(float *dw, const float *planes, int64_t stride, const filters *f, int64_t column,
                                 int64_t width, int64_t begin, int64_t end) {
  filter_gradient_panel(dw, planes, stride, f, column, width, begin, end);
}
