// Transforms of tiles, sixteen channels at a time.
#ifndef PK_WINOGRAD_TILES_H
#define PK_WINOGRAD_TILES_H

#include "shape.h"

// Transforms the input's 6×6 tiles begin ..< end into 36 matrices [tile, channel], `stride` apart.
void pk_winograd_input(float *planes, int64_t stride, const float *x, const tiling *t, int64_t begin, int64_t end);

// Transforms the 4×4 tiles of the output's gradient, channels `channel` and the `width` - 1 after it, into 36 matrices
// [tile, width].
void pk_winograd_cotangent(float *planes, int64_t stride, const float *dy, const tiling *t, int64_t channel,
                           int64_t width, int64_t begin, int64_t end);

// Transforms 36 matrices [tile, width] into the output's tiles, from channel `channel` on.
void pk_winograd_output(float *y, const float *planes, int64_t stride, const pk_winograd_epilogue *epilogue,
                        const tiling *t, int64_t channel, int64_t width, int64_t begin, int64_t end);

#endif
