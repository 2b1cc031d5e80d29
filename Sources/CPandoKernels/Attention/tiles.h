// What the forward and the backward pass share: tile sizes, scratch memory, packing.
#ifndef PK_ATTENTION_TILES_H
#define PK_ATTENTION_TILES_H

#include <stdatomic.h>

#include "../Support/math.h"
#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "pk_attention.h"
#include "../Support/product.h"

// Queries and keys of a tile. Scores are held with keys as rows and queries as columns: so the softmax over
// keys goes along columns, which are side by side in a vector.
#define TILE 64

// Rows of scratch tiles are padded to whole vectors with zeros.
PK_INLINE int64_t pk_padded(int64_t width) { return pk_ceil_div(width, 16) * 16; }

// Whether rows lie as a product reads them best: whole vectors, one row behind the other. A product comes back to each
// row of its second factor many times; rows that are pages apart would each time have to be looked up anew.
PK_INLINE int pk_is_dense(int64_t row, int64_t width) { return row == width && width % 16 == 0; }

// Copies `rows` rows of `width` elements times `scale`, padding them with zeros to `padded`, and the tile
// with zero rows to `all`.
void pk_pack_rows(float *dst, const float *src, int64_t stride, int64_t rows, int64_t all, int64_t width,
                  int64_t padded, float scale);

// The same elements with rows and columns exchanged: `width` rows of TILE elements.
void pk_pack_columns(float *dst, const float *src, int64_t stride, int64_t rows, int64_t width, float scale);

// dst[r, d] += src[r, d] * scale, from a padded tile.
void pk_add_rows(float *dst, int64_t stride, const float *src, int64_t rows, int64_t width, int64_t padded,
                 float scale);

// How many of the keys first ..< first + count the queries from `query` on, `rows` of them, may see at all:
// the count of keys, cut behind the last that the last query sees.
PK_INLINE int64_t pk_visible_keys(const pk_attention *x, int64_t query, int64_t rows) {
  if (!x->causal) return x->keys;
  return pk_max64(0, pk_min64(x->keys, query + rows + x->offset));
}

// In a tile that holds the edge of the causal mask, key j of the tile is seen by query i of it where j <= i +
// edge. Where all see all, the edge lies beyond the tile.
PK_INLINE int64_t pk_edge(const pk_attention *x, int64_t query, int64_t key) {
  return x->causal ? query + x->offset - key : INT64_MAX / 2;
}

// Tiles with the edge are worked on in strips of this many rows, each only as far as the edge lets it see.
#define STRIP 16

// How many rows to take at once: the whole tile where the edge does not cut it.
PK_INLINE int64_t pk_strip(int64_t edge) { return edge >= TILE - 1 ? TILE : STRIP; }

// Hides scores of keys behind their query's last. `scores` is [keys, TILE].
void pk_hide(float *scores, const pk_attention *x, int64_t query, int64_t key, int64_t keys);

#endif
