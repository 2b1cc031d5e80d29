// The maximum of one run of elements; see rows.h.

// The largest; NaN wins.
PK_LEVELS(float, NAME(row_max), (const S *x, int64_t n), (x, n)) {
  int32_t best = PK_LOWEST32;
  for (int64_t i = 0; i < n; i++) {
    int32_t key = pk_order32_nan_high(LOAD(x[i]));
    best = key > best ? key : best;
  }
  return pk_unorder32(best);
}
