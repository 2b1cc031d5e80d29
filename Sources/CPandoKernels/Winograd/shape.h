// What the three products of a convolution by Winograd's method share: tiles, channels in groups of 16, panels.
#ifndef PK_WINOGRAD_SHAPE_H
#define PK_WINOGRAD_SHAPE_H

#include "../Support/simd.h"
#include "pk_winograd.h"

// Channels that are transformed together.
#define LANES 16
// Products of a tile: points squared.
#define POINTS 36
// Columns of a product that are made in one go.
#define PANEL 64

typedef float lanes __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t masks __attribute__((vector_size(64), aligned(4), may_alias));

// One image tensor, as tiles see it.
typedef struct image {
  int64_t channels, height, width, block;
} image;

// Where 16 channels of a sample begin; its pixels are `block` apart.
PK_INLINE int64_t group_start(const image *i, int64_t sample, int64_t group) {
  int64_t channel = group * LANES, size = i->height * i->width;
  return (sample * i->channels + channel / i->block * i->block) * size + channel % i->block;
}

// The tiles of a convolution in the order of samples, rows, columns.
typedef struct tiling {
  int64_t count, rows, columns;
  // How far the input's tiles begin before the output's.
  int64_t top, left;
  image input, output;
} tiling;

tiling pk_winograd_tiling(const pk_winograd *shape);

// The same with input and output exchanged, as the gradient of x has it.
pk_winograd pk_winograd_reversed(const pk_winograd *shape);

// PK_OK where there is such a convolution.
pk_status pk_winograd_check(const pk_winograd *shape);

// The panel that column `c` of `columns` begins is so wide; the last may be narrower than the others.
PK_INLINE int64_t panel_width(int64_t columns, int64_t c) { return pk_min64(PANEL, columns - c); }

// Elements of 36 matrices, each a bit more than its size apart, so that their rows meet in no set of a cache.
PK_INLINE int64_t plane_stride(int64_t rows, int64_t columns) { return rows * columns + LANES; }

#endif
