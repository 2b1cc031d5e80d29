// First and second moments of one run of elements; see rows.h.

// Adds the sums of x - shift and of its square.
PK_LEVELS(void, NAME(moments), (const S *x, float shift, int64_t n, double *sum, double *squares),
          (x, shift, n, sum, squares)) {
  for (int64_t first = 0; first < n; first += PK_ROW_BLOCK) {
    PK_REASSOCIATE
    int64_t last = pk_min64(n, first + PK_ROW_BLOCK);
    float a = 0, b = 0;
    for (int64_t i = first; i < last; i++) {
      float d = LOAD(x[i]) - shift;
      a += d;
      b += d * d;
    }
    *sum += a;
    *squares += b;
  }
}
