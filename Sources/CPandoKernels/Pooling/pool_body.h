// Pooling of one element type T; see pool.c. A row of outputs is worked on at once, one place of the window
// after the other, so that the innermost loops run along the row. EVEN takes every second element of two
// vectors.

// x[0], x[stride], x[2 * stride] and so on, side by side.
PK_LEVELS(void, NAME(pick), (T *y, const T *x, int64_t n, int64_t stride), (y, x, n, stride)) {
  int64_t i = 0;
  // Up to the last: two whole vectors may reach beyond the last element that is asked for.
  for (; stride == 2 && i + 8 < n; i += 8) {
    EIGHT low, high, even;
    memcpy(&low, x + 2 * i, sizeof low);
    memcpy(&high, x + 2 * i + 8, sizeof high);
    even = EVEN(low, high);
    memcpy(y + i, &even, sizeof even);
  }
  for (; i < n; i++) y[i] = x[i * stride];
}

// The n inputs that lie `stride` apart from x on: where they are, or picked into the buffer.
static const T *NAME(line)(T *buffer, const T *x, int64_t n, int64_t stride) {
  if (stride == 1) return x;
  NAME(pick)(buffer, x, n, stride);
  return buffer;
}

PK_LEVELS(void, NAME(raise), (T *y, const T *x, int64_t n), (y, x, n)) {
  PK_VECTOR_SHORT for (int64_t i = 0; i < n; i++) { y[i] = ((x[i] > y[i]) | (x[i] != x[i])) ? x[i] : y[i]; }
}

PK_LEVELS(void, NAME(add), (T *y, const T *x, int64_t n), (y, x, n)) {
  PK_VECTOR_SHORT for (int64_t i = 0; i < n; i++) y[i] += x[i];
}

PK_LEVELS(void, NAME(add_back), (T *x, const T *y, int64_t n, int64_t stride, T scale),
          (x, y, n, stride, scale)) {
  if (stride == 1) {
    PK_VECTOR_SHORT for (int64_t i = 0; i < n; i++) x[i] += y[i] * scale;
  } else {
    for (int64_t i = 0; i < n; i++) x[i * stride] += y[i] * scale;
  }
}

// Keeps the largest and its place, which is `start + i * stride`; a later one must be larger, or the first
// NaN.
PK_LEVELS(void, NAME(find), (T *best, INDEX *place, const T *x, int64_t n, int64_t start, int64_t stride),
          (best, place, x, n, start, stride)) {
  PK_VECTOR_SHORT for (int64_t i = 0; i < n; i++) {
    T v = x[i], b = best[i];
    INDEX p = place[i];
    int better = (p < 0) | (v > b) | ((v != v) & (b == b));
    best[i] = better ? v : b;
    place[i] = better ? (INDEX)(start + i * stride) : p;
  }
}

PK_LEVELS(void, NAME(set), (T *y, T value, int64_t n), (y, value, n)) {
  PK_VECTOR for (int64_t i = 0; i < n; i++) y[i] = value;
}

PK_LEVELS(void, NAME(multiply), (T *y, T value, int64_t n), (y, value, n)) {
  PK_VECTOR for (int64_t i = 0; i < n; i++) y[i] *= value;
}

// Runs over windows: maxima, or sums.
static void NAME(windows)(const pool_job *job, int maxima, int64_t begin, int64_t end) {
  const pk_pool *p = &job->pool;
  T buffer[BLOCK];
  for (int64_t plane = begin; plane < end; plane++) {
    const T *x = (const T *)job->x + plane * p->input[0] * p->input[1];
    for (int64_t r = 0; r < p->output[0]; r++) {
      T *y = (T *)job->out + (plane * p->output[0] + r) * p->output[1];
      NAME(set)(y, maxima ? (T)-INFINITY : 0, p->output[1]);
      FOR_EACH_PLACE({
        const T *inputs = NAME(line)(buffer, x + at, count, p->stride[1]);
        if (maxima) NAME(raise)(y + first, inputs, count);
        else NAME(add)(y + first, inputs, count);
      })
      if (!maxima) NAME(multiply)(y, (T)job->scale, p->output[1]);
    }
  }
}

static void NAME(max_pool)(void *context, int64_t begin, int64_t end) {
  NAME(windows)(context, 1, begin, end);
}
static void NAME(sum_pool)(void *context, int64_t begin, int64_t end) {
  NAME(windows)(context, 0, begin, end);
}

static void NAME(sum_pool_backward)(void *context, int64_t begin, int64_t end) {
  const pool_job *job = context;
  const pk_pool *p = &job->pool;
  for (int64_t plane = begin; plane < end; plane++) {
    T *dx = (T *)job->out + plane * p->input[0] * p->input[1];
    memset(dx, 0, (size_t)(p->input[0] * p->input[1]) * sizeof *dx);
    for (int64_t r = 0; r < p->output[0]; r++) {
      const T *dy = (const T *)job->dy + (plane * p->output[0] + r) * p->output[1];
      FOR_EACH_PLACE(NAME(add_back)(dx + at, dy + first, count, p->stride[1], (T)job->scale))
    }
  }
}

// Finds the places of the largest elements, and moves either dy to them or t from them.
static void NAME(max_places)(void *context, int64_t begin, int64_t end) {
  const pool_job *job = context;
  const pk_pool *p = &job->pool;
  int64_t inputs = p->input[0] * p->input[1];
  T best[BLOCK], buffer[BLOCK];
  INDEX place[BLOCK];
  for (int64_t plane = begin; plane < end; plane++) {
    const T *x = (const T *)job->x + plane * inputs;
    T *dx = (T *)job->out + plane * inputs;
    if (job->dy) memset(dx, 0, (size_t)inputs * sizeof *dx);
    for (int64_t r = 0; r < p->output[0]; r++) {
      for (int64_t start = 0; start < p->output[1]; start += BLOCK) {
        int64_t stop = pk_min64(p->output[1], start + BLOCK);
        for (int64_t o = 0; o < stop - start; o++) best[o] = 0, place[o] = -1;
        FOR_EACH_PLACE_BETWEEN(start, stop, {
          const T *line = NAME(line)(buffer, x + at, count, p->stride[1]);
          NAME(find)(best + (first - start), place + (first - start), line, count, at, p->stride[1]);
        })
        int64_t output = (plane * p->output[0] + r) * p->output[1] + start;
        if (job->dy) {
          const T *dy = (const T *)job->dy + output;
          for (int64_t o = 0; o < stop - start; o++) {
            if (place[o] >= 0) dx[place[o]] += dy[o];
          }
        } else {
          const T *t = (const T *)job->t + plane * inputs;
          T *y = (T *)job->out + output;
          for (int64_t o = 0; o < stop - start; o++) y[o] = place[o] >= 0 ? t[place[o]] : 0;
        }
      }
    }
  }
}
