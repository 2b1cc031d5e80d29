// Copies, padding, boxes, conversions, and gathering and scattering of rows.
#include "fuzz.h"

static void fuzz_copy(void) {
  int rank = (int)fuzz_below(5);
  size_t size = (size_t)1 << fuzz_below(4);
  int64_t shape[4], dst[4], src[4], places[4] = {0, 1, 2, 3}, count = 1, source = 1, first = 0;
  for (int d = 0; d < rank; d++) shape[d] = fuzz_size(rank < 3 ? 300 : 33);
  for (int d = rank - 1; d >= 0; d--) dst[d] = count, count *= shape[d];
  for (int d = rank - 1; d > 0; d--) {
    int other = (int)fuzz_below(d + 1);
    int64_t swap = places[d];
    places[d] = places[other], places[other] = swap;
  }
  // The source's dimensions lie in another order, backwards, or repeated.
  for (int i = rank - 1; i >= 0; i--) {
    int d = (int)places[i];
    int64_t kind = fuzz_below(6);
    src[d] = kind == 0 ? 0 : source;
    if (kind == 1 && shape[d] > 0) src[d] = -source, first += (shape[d] - 1) * source;
    if (kind != 0) source *= shape[d];
  }
  if (count == 0) source = first = 0;
  char *from = fuzz_memory(source, size), *to[2];
  for (int64_t i = 0; i < source * (int64_t)size; i++) from[i] = (char)fuzz_bits();
  for (int i = 0; i < 2; i++) {
    to[i] = fuzz_memory(count, size);
    fuzz_ok("copy_strided", pk_copy_strided(to[i], dst, from + first * (int64_t)size, src, shape, rank, size,
                                            FUZZ_THREADS(i)));
  }
  fuzz_same("copy_strided", to[0], to[1], count, size);
}

static void fuzz_boxes(void) {
  int rank = (int)fuzz_below(4) + 1;
  size_t size = (size_t)1 << fuzz_below(4);
  int64_t whole[4], box[4], starts[4], low[4], interior[4], padded[4], all = 1, part = 1, wide = 1;
  for (int d = 0; d < rank; d++) {
    whole[d] = fuzz_size(rank < 3 ? 129 : 17);
    box[d] = fuzz_below(whole[d] + 1);
    starts[d] = fuzz_below(200) - 100;
    low[d] = fuzz_below(9) - 4;
    interior[d] = fuzz_below(3);
    padded[d] = fuzz_below(40);
    all *= whole[d], part *= box[d], wide *= padded[d];
  }
  char *array = fuzz_memory(all, size), *value = fuzz_memory(1, size), *taken[2], *put[2];
  memset(array, 7, (size_t)all * size), memset(value, 9, size);
  for (int i = 0; i < 2; i++) {
    taken[i] = fuzz_memory(part, size), put[i] = fuzz_memory(wide, size);
    int threads = FUZZ_THREADS(i);
    fuzz_ok("dynamic_slice", pk_dynamic_slice(taken[i], box, array, whole, starts, rank, size, threads));
    fuzz_ok("pad", pk_pad(put[i], padded, array, whole, low, interior, rank, value, size, threads));
    fuzz_ok("dynamic_update", pk_dynamic_update(array, whole, taken[i], box, starts, rank, size, threads));
    fuzz_ok("fill", pk_fill(taken[i], part, value, size, threads));
  }
  fuzz_same("dynamic_slice", taken[0], taken[1], part, size);
  fuzz_same("pad", put[0], put[1], wide, size);
}

static void fuzz_convert(void) {
  pk_dtype from = (pk_dtype)fuzz_below(PK_DTYPE_COUNT), to = (pk_dtype)fuzz_below(PK_DTYPE_COUNT);
  int64_t count = fuzz_size(2000);
  void *x = fuzz_numbers(count, from), *y[2];
  for (int i = 0; i < 2; i++) {
    y[i] = fuzz_memory(count, pk_size(to));
    fuzz_ok("convert", pk_convert(y[i], to, x, from, count, FUZZ_THREADS(i)));
  }
  fuzz_same("convert", y[0], y[1], count, pk_size(to));
}

void fuzz_movement(void) {
  fuzz_copy();
  fuzz_boxes();
  fuzz_convert();
}

static void *fuzz_indices(int64_t count, pk_dtype type, int64_t n) {
  char *memory = fuzz_memory(count, pk_size(type));
  for (int64_t i = 0; i < count; i++) {
    int64_t index = fuzz_below(20) ? fuzz_below(n + 1) - 1 : (int64_t)fuzz_bits();
    if (type == PK_I32) {
      int32_t narrow = (int32_t)index;
      memcpy(memory + 4 * i, &narrow, 4);
    } else {
      memcpy(memory + 8 * i, &index, 8);
    }
  }
  return memory;
}

void fuzz_indexing(void) {
  static const pk_dtype types[] = {PK_F32, PK_F64, PK_I32, PK_I64};
  pk_dtype t = types[fuzz_below(4)], index = fuzz_below(2) ? PK_I32 : PK_I64;
  pk_bounds bounds = fuzz_below(2) ? PK_BOUNDS_CLAMP : PK_BOUNDS_SKIP;
  int64_t outer = fuzz_below(3) + 1, n = fuzz_size(129), k = fuzz_size(129), row = fuzz_size(65);
  if (n == 0) n = 1;
  void *src = fuzz_tame(outer * n * row, t), *grads = fuzz_tame(outer * k * row, t);
  void *rows = fuzz_indices(k, index, n), *along = fuzz_indices(outer * k * row, index, n);
  void *taken[2], *added[2];
  for (int i = 0; i < 2; i++) {
    int threads = FUZZ_THREADS(i);
    taken[i] = fuzz_memory(outer * k * row, pk_size(t)), added[i] = fuzz_memory(outer * n * row, pk_size(t));
    memset(added[i], 0, (size_t)(outer * n * row) * pk_size(t));
    fuzz_ok("take_along",
            pk_take_along(taken[i], src, along, index, outer, n, k, row, pk_size(t), bounds, threads));
    fuzz_ok("add_along", pk_add_along(added[i], grads, along, index, outer, n, k, row, t, bounds, threads));
    fuzz_ok("scatter_add_rows",
            pk_scatter_add_rows(added[i], grads, rows, index, outer, n, k, row, t, bounds, threads));
    fuzz_ok("gather_rows",
            pk_gather_rows(taken[i], src, rows, index, outer, n, k, row, pk_size(t), bounds, threads));
  }
  fuzz_same("gather_rows", taken[0], taken[1], outer * k * row, pk_size(t));
  fuzz_same("scatter_add_rows", added[0], added[1], outer * n * row, pk_size(t));
}
