/// Convolutions whose results have few places, and whose time is that of reading their weights: each weight is read from
/// memory once.
#ifndef PK_STREAM_H
#define PK_STREAM_H

#include <stddef.h>

#include "pk_types.h"

/// Channels that lie side by side in x, y and the packed weights.
#define PK_STREAM_BLOCK 16

/// The sizes of a convolution of x [n, inputs / 16, height, width, 16] to y [n, outputs / 16, out_height, out_width, 16].
/// Pairs are those of height and width.
typedef struct pk_stream {
  int64_t n, inputs, outputs;
  int64_t size[2], out_size[2], kernel[2], stride[2];
  /// 1 where neighbours in the kernel meet neighbours in the input.
  int64_t dilation[2];
  /// Zeros before the input; how many follow it, out_size says.
  int64_t low[2];
} pk_stream;

/// Bytes of workspace of `pk_stream_convolution`; 0 also for sizes that it refuses.
size_t pk_stream_workspace(const pk_stream *sizes);

/// Brings float32 weights [outputs, inputs, kernel…] into the order in which they are read:
/// [outputs / 16, inputs / 16, kernel…, 16 inputs, 16 outputs].
pk_status pk_stream_pack(float *packed, const float *w, const pk_stream *sizes, int threads);

/// The reverse.
pk_status pk_stream_unpack(float *w, const float *packed, const pk_stream *sizes, int threads);

/// y = x * w + bias + residual, where `rectifies` with 0 in place of what is below; float32. `bias` [outputs] and
/// `residual`, a tensor like y that may be y, may be null.
///
/// Every product is added to one sum, in the order of the packed weights. Returns `PK_INVALID` where a size is less than
/// 1, or channels are no multiple of 16, and `PK_LIMIT` where they are so many that a place in memory has no number.
pk_status pk_stream_convolution(float *y, const float *x, const float *packed, const float *bias,
                                const float *residual, int rectifies, const pk_stream *sizes, void *workspace,
                                int threads);

#endif
