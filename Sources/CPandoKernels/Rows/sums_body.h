// Sums over one run of elements; see rows.h.

PK_LEVELS(double, NAME(sum), (const S *x, int64_t n), (x, n)) {
  double total = 0;
  for (int64_t first = 0; first < n; first += PK_ROW_BLOCK) {
    PK_REASSOCIATE
    int64_t last = pk_min64(n, first + PK_ROW_BLOCK);
    float sum = 0;
    for (int64_t i = first; i < last; i++) sum += LOAD(x[i]);
    total += sum;
  }
  return total;
}
