// Convolutions whose weights are streamed, of any window.
#include "fuzz.h"

void fuzz_stream(void) {
  pk_stream s = {.n = 1 + fuzz_below(3), .inputs = 16 * (1 + fuzz_below(3)), .outputs = 16 * (1 + fuzz_below(4))};
  int64_t places = s.n, results = s.n, taps = 1;
  for (int d = 0; d < 2; d++) {
    s.kernel[d] = 1 + fuzz_below(4), s.stride[d] = 1 + fuzz_below(3), s.dilation[d] = 1 + fuzz_below(3);
    s.low[d] = fuzz_below(5);
    int64_t reach = (s.kernel[d] - 1) * s.dilation[d], high = fuzz_below(5);
    s.size[d] = 1 + fuzz_below(19);
    // As large as the window at least, paddings included.
    if (s.size[d] + s.low[d] + high <= reach) s.size[d] = reach + 1;
    s.out_size[d] = (s.size[d] + s.low[d] + high - reach - 1) / s.stride[d] + 1;
    places *= s.size[d], results *= s.out_size[d], taps *= s.kernel[d];
  }
  int64_t weights = s.inputs * s.outputs * taps, count = results * s.outputs;
  float *w = fuzz_tame(weights, PK_F32), *x = fuzz_tame(places * s.inputs, PK_F32);
  float *bias = fuzz_below(2) ? fuzz_tame(s.outputs, PK_F32) : NULL;
  float *residual = fuzz_below(2) ? fuzz_tame(count, PK_F32) : NULL, *y[2];
  for (int i = 0; i < 2; i++) {
    int threads = FUZZ_THREADS(i);
    float *packed = fuzz_memory(weights, 4), *unpacked = fuzz_memory(weights, 4);
    y[i] = fuzz_memory(count, 4);
    fuzz_ok("stream_pack", pk_stream_pack(packed, w, &s, threads));
    fuzz_ok("stream_unpack", pk_stream_unpack(unpacked, packed, &s, threads));
    fuzz_same("stream_unpack", unpacked, w, weights, 4);
    fuzz_ok("stream_convolution", pk_stream_convolution(y[i], x, packed, bias, residual, 1, &s,
                                                        fuzz_workspace(pk_stream_workspace(&s)), threads));
  }
  fuzz_same("stream_convolution", y[0], y[1], count, 4);
}
