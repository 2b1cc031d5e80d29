/// Convolutions of 3×3 with strides of 1 by Winograd's method (Lavin and Gray, 2016, "Fast algorithms for convolutional
/// neural networks"): a tile of 4×4 results takes 36 products for each pair of channels in place of 144.
///
/// The points of the polynomials are 0, ±5/8, ±3/2 and infinity, which lose less accuracy than 0, ±1, ±2 (Barabasz,
/// Anderson, Soodhalter and Gregg, 2020, on the choice of points).
///
/// All is float32. Images are arrays [n, channels / block, height, width, block], with blocks of a multiple of 16
/// channels; filters are dense arrays [out_channels, in_channels, 3, 3]. Results are the same on any number of threads.
#ifndef PK_WINOGRAD_H
#define PK_WINOGRAD_H

#include "pk_types.h"

/// The sizes of a convolution of x to y.
typedef struct pk_winograd {
  int64_t n, in_channels, out_channels;
  /// Of x.
  int64_t height, width;
  /// Of y.
  int64_t out_height, out_width;
  /// Zeros before x's first row and its first column: 0, 1 or 2.
  int64_t top, left;
  /// Channels in a block of x, and of y.
  int64_t x_block, y_block;
} pk_winograd;

/// What else is done to y before it is written; each may be null.
typedef struct pk_winograd_epilogue {
  /// Added to each channel: [out_channels].
  const float *bias;
  /// Added to y, in y's layout. May be y.
  const float *residual;
  /// Whether negative results become 0, at the end.
  int rectifies;
} pk_winograd_epilogue;

/// Bytes that the transformed filters of a forward product take; 0 where there is no such convolution.
size_t pk_winograd_packed_bytes(const pk_winograd *shape);

/// Transforms filters, once for many forward products. `packed` is aligned to 64.
pk_status pk_winograd_pack(float *packed, const float *w, const pk_winograd *shape, int threads);

/// Bytes of workspace; 0 where there is no such convolution.
size_t pk_winograd_forward_workspace(const pk_winograd *shape, int is_packed, int threads);
size_t pk_winograd_input_gradient_workspace(const pk_winograd *shape, int threads);
size_t pk_winograd_weight_gradient_workspace(const pk_winograd *shape, int threads);

/// y from x and the filters w, which may have been packed. Sizes that do not fit each other return `PK_INVALID`, channels or blocks that are no
/// multiple of 16 `PK_UNSUPPORTED`. The workspace is aligned to 64, here and below.
pk_status pk_winograd_forward(float *y, const float *x, const float *w, int is_packed, const pk_winograd *shape,
                              const pk_winograd_epilogue *epilogue, void *workspace, int threads);

/// The gradient of x, from that of y and the filters.
pk_status pk_winograd_input_gradient(float *dx, const float *dy, const float *w, const pk_winograd *shape,
                                     void *workspace, int threads);

/// The gradient of the filters, from x and the gradient of y.
pk_status pk_winograd_weight_gradient(float *dw, const float *x, const float *dy, const pk_winograd *shape,
                                      void *workspace, int threads);

#endif
