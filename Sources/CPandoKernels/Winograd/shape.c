#include "shape.h"

tiling pk_winograd_tiling(const pk_winograd *s) {
  int64_t rows = pk_ceil_div(s->out_height, 4), columns = pk_ceil_div(s->out_width, 4);
  return (tiling){s->n * rows * columns,
                  rows,
                  columns,
                  s->top,
                  s->left,
                  {s->in_channels, s->height, s->width, s->x_block},
                  {s->out_channels, s->out_height, s->out_width, s->y_block}};
}

pk_winograd pk_winograd_reversed(const pk_winograd *s) {
  return (pk_winograd){s->n,     s->out_channels, s->in_channels, s->out_height, s->out_width, s->height,
                       s->width, 2 - s->top,      2 - s->left,    s->y_block,    s->x_block};
}

// A side of the output for padding of 0 to 2 at either end.
static int fits(int64_t input, int64_t output, int64_t low) {
  int64_t high = output - input + 2 - low;
  return input >= 1 && output >= 1 && low >= 0 && low <= 2 && high >= 0 && high <= 2;
}

pk_status pk_winograd_check(const pk_winograd *s) {
  // Every number of elements, and that of the transformed tiles, stays far below what 64 bits hold.
  const int64_t sizes[] = {s->n,     s->in_channels, s->out_channels, s->height,
                           s->width, s->out_height,  s->out_width};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    if (sizes[i] < 1 || sizes[i] > INT32_MAX) return PK_INVALID;
  }
  if (!fits(s->height, s->out_height, s->top) || !fits(s->width, s->out_width, s->left)) return PK_INVALID;
  double channels = (double)pk_max64(s->in_channels, s->out_channels);
  double pixels = (double)s->n * (double)(s->height + 4) * (double)(s->width + 4);
  if (channels * pixels > 0x1p48 || (double)s->in_channels * (double)s->out_channels > 0x1p48) return PK_INVALID;
  if (s->in_channels % LANES || s->out_channels % LANES) return PK_UNSUPPORTED;
  if (s->x_block < 1 || s->y_block < 1) return PK_INVALID;
  if (s->x_block % LANES || s->y_block % LANES) return PK_UNSUPPORTED;
  return s->in_channels % s->x_block || s->out_channels % s->y_block ? PK_INVALID : PK_OK;
}
