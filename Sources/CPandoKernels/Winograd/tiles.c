#include "tiles.h"

#include <stdatomic.h>

#include "points.h"

// A result of at least so many bytes goes past the caches, out of which it would only push what is still needed.
#define LARGE (4 << 20)

typedef float whole_lanes __attribute__((vector_size(64), may_alias));

// Where a tile is.
typedef struct spot {
  int64_t sample, row, column;
} spot;

PK_INLINE spot spot_of(const tiling *t, int64_t tile) {
  return (spot){tile / (t->rows * t->columns), tile / t->columns % t->rows * 4, tile % t->columns * 4};
}

// How many tiles ahead memory is asked for.
#define AHEAD 2

// Copies what a tile of `size` by `size` pixels has within the image; 0 elsewhere.
PK_INLINE void load_partly(lanes *tile, int size, const float *x, const image *i, int64_t row, int64_t column) {
  for (int r = 0; r < size; r++) {
    for (int c = 0; c < size; c++) {
      int64_t at = row + r, beside = column + c;
      int is_inside = at >= 0 && at < i->height && beside >= 0 && beside < i->width;
      tile[r * size + c] = is_inside ? *(const lanes *)(x + (at * i->width + beside) * i->block) : (lanes){0};
    }
  }
}

PK_INLINE int is_whole(const image *i, int64_t row, int64_t column, int64_t size) {
  return row >= 0 && column >= 0 && row + size <= i->height && column + size <= i->width;
}

// Asks for the pixels that a tile has before its neighbours; the processor does not foresee such short runs.
PK_INLINE void prefetch(const float *x, const image *i, int64_t group, spot s) {
  const float *first = x + group_start(i, s.sample, group);
  int64_t rows = pk_min64(s.row + 4, i->height), columns = pk_min64(s.column + 4, i->width);
  for (int64_t r = s.row; r < rows; r++) {
    for (int64_t c = s.column; c < columns; c++) __builtin_prefetch(first + (r * i->width + c) * i->block);
  }
}

// One tile of 6×6, whose pixels are `step` and whose rows `line` apart.
PK_INLINE void transform_input(float *planes, int64_t stride, const float *x, int64_t line, int64_t step) {
  lanes half[6][6];
  for (int c = 0; c < 6; c++) {
    lanes column[6], made[6];
    for (int r = 0; r < 6; r++) column[r] = *(const lanes *)(x + r * line + c * step);
    input_row(made, column);
    for (int r = 0; r < 6; r++) half[r][c] = made[r];
  }
  for (int r = 0; r < 6; r++) {
    lanes made[6];
    input_row(made, half[r]);
    for (int c = 0; c < 6; c++) *(lanes *)(planes + (r * 6 + c) * stride) = made[c];
  }
}

PK_LEVELS(void, input_tiles,
          (float *planes, int64_t stride, const float *x, const tiling *t, int64_t begin, int64_t end),
          (planes, stride, x, t, begin, end)) {
  const image *i = &t->input;
  for (int64_t group = 0; group < i->channels / LANES; group++) {
    for (int64_t tile = begin; tile < end; tile++) {
      spot s = spot_of(t, tile);
      int64_t row = s.row - t->top, column = s.column - t->left;
      int whole = is_whole(i, row, column, 6);
      if (tile + AHEAD < end) prefetch(x, i, group, spot_of(t, tile + AHEAD));
      const float *source = x + group_start(i, s.sample, group);
      float *target = planes + (tile - begin) * i->channels + group * LANES;
      if (whole) {
        source += (row * i->width + column) * i->block;
        transform_input(target, stride, source, i->width * i->block, i->block);
      } else {
        lanes patch[36];
        load_partly(patch, 6, source, i, row, column);
        transform_input(target, stride, (const float *)patch, 6 * LANES, LANES);
      }
    }
  }
}

void pk_winograd_input(float *planes, int64_t stride, const float *x, const tiling *t, int64_t begin, int64_t end) {
  input_tiles(planes, stride, x, t, begin, end);
}

PK_INLINE void transform_cotangent(float *planes, int64_t stride, const float *dy, int64_t line, int64_t step) {
  lanes half[6][4];
  for (int c = 0; c < 4; c++) {
    lanes column[4], made[6];
    for (int r = 0; r < 4; r++) column[r] = *(const lanes *)(dy + r * line + c * step);
    cotangent_row(made, column);
    for (int r = 0; r < 6; r++) half[r][c] = made[r];
  }
  for (int r = 0; r < 6; r++) {
    lanes made[6];
    cotangent_row(made, half[r]);
    for (int c = 0; c < 6; c++) *(lanes *)(planes + (r * 6 + c) * stride) = made[c];
  }
}

PK_LEVELS(void, cotangent_tiles,
          (float *planes, int64_t stride, const float *dy, const tiling *t, int64_t channel, int64_t width,
           int64_t begin, int64_t end),
          (planes, stride, dy, t, channel, width, begin, end)) {
  const image *i = &t->output;
  for (int64_t at = 0; at < width; at += LANES) {
    for (int64_t tile = begin; tile < end; tile++) {
      spot s = spot_of(t, tile);
      int whole = is_whole(i, s.row, s.column, 4);
      const float *source = dy + group_start(i, s.sample, (channel + at) / LANES);
      float *target = planes + (tile - begin) * width + at;
      if (whole) {
        source += (s.row * i->width + s.column) * i->block;
        transform_cotangent(target, stride, source, i->width * i->block, i->block);
      } else {
        lanes patch[16];
        load_partly(patch, 4, source, i, s.row, s.column);
        transform_cotangent(target, stride, (const float *)patch, 4 * LANES, LANES);
      }
    }
  }
}

void pk_winograd_cotangent(float *planes, int64_t stride, const float *dy, const tiling *t, int64_t channel,
                           int64_t width, int64_t begin, int64_t end) {
  cotangent_tiles(planes, stride, dy, t, channel, width, begin, end);
}

// One tile of 4×4 from its 36 products.
PK_INLINE void transform_output(lanes *tile, const float *planes, int64_t stride) {
  lanes half[4][6];
  for (int c = 0; c < 6; c++) {
    lanes column[6], made[4];
    for (int r = 0; r < 6; r++) column[r] = *(const lanes *)(planes + (r * 6 + c) * stride);
    output_row(made, column);
    for (int r = 0; r < 4; r++) half[r][c] = made[r];
  }
  for (int r = 0; r < 4; r++) output_row(tile + r * 4, half[r]);
}

PK_LEVELS(void, output_tiles,
          (float *y, const float *planes, int64_t stride, const pk_winograd_epilogue *e, const tiling *t,
           int64_t channel, int64_t width, int64_t begin, int64_t end),
          (y, planes, stride, e, t, channel, width, begin, end)) {
  const image *i = &t->output;
  int64_t pixels = t->count / (t->rows * t->columns) * i->height * i->width;
  int goes_past = pixels * i->channels * (int64_t)sizeof *y >= LARGE && (uintptr_t)y % sizeof(lanes) == 0;
  for (int64_t at = 0; at < width; at += LANES) {
    for (int64_t tile = begin; tile < end; tile++) {
      spot s = spot_of(t, tile);
      int64_t rows = pk_min64(4, i->height - s.row), columns = pk_min64(4, i->width - s.column);
      lanes made[16];
      transform_output(made, planes + (tile - begin) * width + at, stride);
      int64_t first = group_start(i, s.sample, (channel + at) / LANES) + (s.row * i->width + s.column) * i->block;
      lanes bias = e->bias ? *(const lanes *)(e->bias + channel + at) : (lanes){0};
      for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < columns; c++) {
          int64_t place = first + (r * i->width + c) * i->block;
          lanes value = made[r * 4 + c] + bias;
          if (e->residual) value += *(const lanes *)(e->residual + place);
          // Whatever is no number stays what it is.
          if (e->rectifies) value = (lanes)((masks)value & ~(value < 0));
          if (goes_past) __builtin_nontemporal_store(value, (whole_lanes *)(y + place));
          else *(lanes *)(y + place) = value;
        }
      }
    }
  }
  // Stores past the caches are in no order with later ones, which may tell another thread that all is done.
  if (goes_past) atomic_thread_fence(memory_order_seq_cst);
}

void pk_winograd_output(float *y, const float *planes, int64_t stride, const pk_winograd_epilogue *epilogue,
                        const tiling *t, int64_t channel, int64_t width, int64_t begin, int64_t end) {
  output_tiles(y, planes, stride, epilogue, t, channel, width, begin, end);
}
