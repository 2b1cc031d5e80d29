#include "tiles.h"

#include "../Support/transpose.h"

PK_LEVELS(void, pack_rows,
          (float *dst, const float *src, int64_t stride, int64_t rows, int64_t all, int64_t width,
           int64_t padded, float scale),
          (dst, src, stride, rows, all, width, padded, scale)) {
  for (int64_t r = 0; r < rows; r++) {
    PK_VECTOR for (int64_t d = 0; d < width; d++) dst[r * padded + d] = src[r * stride + d] * scale;
    for (int64_t d = width; d < padded; d++) dst[r * padded + d] = 0;
  }
  memset(dst + rows * padded, 0, (size_t)((all - rows) * padded) * sizeof(float));
}

void pk_pack_rows(float *dst, const float *src, int64_t stride, int64_t rows, int64_t all, int64_t width,
                  int64_t padded, float scale) {
  pack_rows(dst, src, stride, rows, all, width, padded, scale);
}

PK_LEVELS(void, pack_columns,
          (float *dst, const float *src, int64_t stride, int64_t rows, int64_t width, float scale),
          (dst, src, stride, rows, width, scale)) {
  int64_t whole_rows = rows & ~7, whole_width = width & ~7;
  for (int64_t r = 0; r < whole_rows; r += 8) {
    for (int64_t d = 0; d < whole_width; d += 8) {
      pk_transpose_8x8((uint32_t *)(void *)(dst + d * TILE + r), TILE,
                       (const uint32_t *)(const void *)(src + r * stride + d), stride);
    }
  }
  for (int64_t d = 0; d < width; d++) {
    for (int64_t r = d < whole_width ? whole_rows : 0; r < rows; r++) dst[d * TILE + r] = src[r * stride + d];
    for (int64_t r = rows; r < TILE; r++) dst[d * TILE + r] = 0;
  }
  if (scale == 1) return;
  PK_VECTOR for (int64_t i = 0; i < width * TILE; i++) dst[i] *= scale;
}

void pk_pack_columns(float *dst, const float *src, int64_t stride, int64_t rows, int64_t width, float scale) {
  pack_columns(dst, src, stride, rows, width, scale);
}

PK_LEVELS(void, add_rows,
          (float *dst, int64_t stride, const float *src, int64_t rows, int64_t width, int64_t padded,
           float scale),
          (dst, stride, src, rows, width, padded, scale)) {
  for (int64_t r = 0; r < rows; r++) {
    PK_VECTOR for (int64_t d = 0; d < width; d++) dst[r * stride + d] += src[r * padded + d] * scale;
  }
}

void pk_add_rows(float *dst, int64_t stride, const float *src, int64_t rows, int64_t width, int64_t padded,
                 float scale) {
  add_rows(dst, stride, src, rows, width, padded, scale);
}

void pk_hide(float *scores, const pk_attention *x, int64_t query, int64_t key, int64_t keys) {
  if (!x->causal || key + keys - 1 <= query + x->offset) return;
  for (int64_t j = 0; j < keys; j++) {
    // Queries before the first that sees this key.
    int64_t hidden = pk_min64(TILE, key + j - x->offset - query);
    for (int64_t i = 0; i < hidden; i++) scores[j * TILE + i] = -INFINITY;
  }
}
