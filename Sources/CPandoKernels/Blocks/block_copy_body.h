// Copies of elements of type T; see block_copy.c. Item: one block of one sample, a matrix to be transposed.

PK_CLONES static void NAME(transpose)(T *to, const T *from, int64_t rows, int64_t columns) {
  for (int64_t r0 = 0; r0 < rows; r0 += TILE) {
    int64_t r1 = pk_min64(rows, r0 + TILE);
    for (int64_t c0 = 0; c0 < columns; c0 += TILE) {
      int64_t c1 = pk_min64(columns, c0 + TILE);
      for (int64_t c = c0; c < c1; c++) {
        for (int64_t r = r0; r < r1; r++) to[c * rows + r] = from[r * columns + c];
      }
    }
  }
}

static void NAME(pack)(void *context, int64_t begin, int64_t end) {
  const copy_job *job = context;
  int64_t block = job->blocks.block, size = job->blocks.size;
  for (int64_t i = begin; i < end; i++) {
    NAME(transpose)((T *)job->to + i * block * size, (const T *)job->from + i * block * size, block, size);
  }
}

static void NAME(unpack)(void *context, int64_t begin, int64_t end) {
  const copy_job *job = context;
  int64_t block = job->blocks.block, size = job->blocks.size;
  for (int64_t i = begin; i < end; i++) {
    NAME(transpose)((T *)job->to + i * block * size, (const T *)job->from + i * block * size, size, block);
  }
}
