// Block norm of one storage type S and LANES channels at a time; see block_norm.c. A vector holds the channels of
// one place.

typedef float NAME(vector) __attribute__((vector_size(4 * LANES)));
typedef uint32_t NAME(bits) __attribute__((vector_size(4 * LANES)));
typedef int32_t NAME(ints) __attribute__((vector_size(4 * LANES)));
typedef uint16_t NAME(halves) __attribute__((vector_size(2 * LANES)));
typedef double NAME(wide) __attribute__((vector_size(8 * LANES)));

// Macros, because a function that is given vectors would have another calling convention at each level.
#if NARROW
#define GET(V, FROM)                                                                                         \
  NAME(vector) V;                                                                                            \
  {                                                                                                          \
    NAME(halves) half;                                                                                       \
    memcpy(&half, FROM, sizeof half);                                                                        \
    NAME(bits) word = __builtin_convertvector(half, NAME(bits)) << 16;                                       \
    memcpy(&V, &word, sizeof V);                                                                             \
  }
#define PUT(TO, V)                                                                                           \
  {                                                                                                          \
    NAME(bits) word;                                                                                         \
    memcpy(&word, &V, sizeof word);                                                                          \
    NAME(bits) rounded = (word + 0x7fffu + ((word >> 16) & 1u)) >> 16;                                       \
    NAME(bits) isNaN = (NAME(bits))(V != V);                                                                 \
    NAME(bits) chosen = (isNaN & ((word >> 16) | 0x40u)) | (~isNaN & rounded);                               \
    NAME(halves) half = __builtin_convertvector(chosen, NAME(halves));                                       \
    memcpy(TO, &half, sizeof half);                                                                          \
  }
#else
#define GET(V, FROM)                                                                                         \
  NAME(vector) V;                                                                                            \
  memcpy(&V, FROM, sizeof V)
#define PUT(TO, V) memcpy(TO, &V, sizeof V)
#endif
#define NUMBERS(V, PLACE)                                                                                    \
  NAME(vector) V;                                                                                            \
  memcpy(&V, job->numbers + (PLACE) * channels + first, sizeof V)
// V where the test does not hold, else 0. NaN passes.
#define UNLESS_NOT_POSITIVE(V, TEST)                                                                         \
  {                                                                                                          \
    NAME(ints) off = (TEST) <= 0.0f, kept;                                                                   \
    memcpy(&kept, &V, sizeof kept);                                                                          \
    kept &= ~off;                                                                                            \
    memcpy(&V, &kept, sizeof kept);                                                                          \
  }

// Places of which sums are taken in float32.
#ifndef PART
#define PART 128
#endif

// A sample's sum, and its squared deviations from its own mean.
PK_CLONES static void NAME(part_moments)(const void *context, int64_t sample, int64_t group) {
  const norm_job *job = context;
  int64_t size = job->blocks.size, step = job->blocks.block;
  const S *x = (const S *)job->x + start_of(job, sample, group);
  NAME(wide) sum = {0}, squares = {0}, rest = {0};
  for (int64_t part = 0; part < size; part += PART) {
    NAME(vector) a = {0}, b = {0};
    int64_t i = part, end = pk_min64(size, part + PART);
    for (; i + 1 < end; i += 2) {
      GET(u, x + i * step);
      GET(v, x + (i + 1) * step);
      a += u;
      b += v;
    }
    if (i < end) {
      GET(u, x + i * step);
      a += u;
    }
    sum += __builtin_convertvector(a, NAME(wide)) + __builtin_convertvector(b, NAME(wide));
  }
  NAME(vector) mean = __builtin_convertvector(sum / (double)size, NAME(vector));
  for (int64_t part = 0; part < size; part += PART) {
    NAME(vector) a = {0}, b = {0}, c = {0}, d = {0};
    int64_t i = part, end = pk_min64(size, part + PART);
    for (; i + 1 < end; i += 2) {
      GET(u, x + i * step);
      GET(v, x + (i + 1) * step);
      u -= mean;
      v -= mean;
      a += u * u;
      b += v * v;
      c += u;
      d += v;
    }
    if (i < end) {
      GET(u, x + i * step);
      u -= mean;
      a += u * u;
      c += u;
    }
    squares += __builtin_convertvector(a, NAME(wide)) + __builtin_convertvector(b, NAME(wide));
    rest += __builtin_convertvector(c, NAME(wide)) + __builtin_convertvector(d, NAME(wide));
  }
  squares -= rest * rest / (double)size;
  double *out = sums_of(job, sample, group * LANES);
  for (int lane = 0; lane < LANES; lane++) {
    out[2 * lane] = sum[lane];
    out[2 * lane + 1] = squares[lane];
  }
}

// y = (x - mean) * scale + shift, and what follows.
PK_CLONES static void NAME(affine)(const void *context, int64_t sample, int64_t group) {
  const norm_job *job = context;
  int64_t size = job->blocks.size, step = job->blocks.block, channels = job->blocks.channels;
  int64_t start = start_of(job, sample, group), first = group * LANES;
  const S *x = (const S *)job->x + start, *residual = job->residual;
  S *y = (S *)job->out + start;
  NUMBERS(mean, 0);
  NUMBERS(scale, 1);
  NUMBERS(shift, 2);
  if (residual) {
    residual += start;
    for (int64_t i = 0; i < size; i++) {
      GET(v, x + i * step);
      GET(r, residual + i * step);
      v = (v - mean) * scale + shift;
      v = v + r;
      if (job->rectifies) UNLESS_NOT_POSITIVE(v, v);
      PUT(y + i * step, v);
    }
    return;
  }
  for (int64_t i = 0; i < size; i++) {
    GET(v, x + i * step);
    v = (v - mean) * scale + shift;
    if (job->rectifies) UNLESS_NOT_POSITIVE(v, v);
    PUT(y + i * step, v);
  }
}

// The cotangent of place I as far as it passed the rectifier, and x - mean there.
#define PASSED                                                                                               \
  GET(d, dy + i * step);                                                                                     \
  GET(c, x + i * step);                                                                                      \
  c = c - mean;                                                                                              \
  if (mask == PK_MASK_RESULT) {                                                                              \
    GET(r, y + i * step);                                                                                    \
    UNLESS_NOT_POSITIVE(d, r);                                                                               \
  } else if (mask == PK_MASK_RECOMPUTED) {                                                                   \
    NAME(vector) r = c * scale + shift;                                                                      \
    UNLESS_NOT_POSITIVE(d, r);                                                                               \
  }

// A sample's sums of dy and of dy * (x - mean); keeps what passed the rectifier where that is wanted.
PK_CLONES static void NAME(part_products)(const void *context, int64_t sample, int64_t group) {
  const norm_job *job = context;
  int64_t size = job->blocks.size, step = job->blocks.block, channels = job->blocks.channels;
  int64_t start = start_of(job, sample, group), first = group * LANES;
  const S *x = (const S *)job->x + start, *dy = (const S *)job->dy + start;
  const S *y = job->y ? (const S *)job->y + start : NULL;
  S *masked = job->masked ? (S *)job->masked + start : NULL;
  pk_mask mask = job->mask;
  NUMBERS(mean, 0);
  NUMBERS(scale, 1);
  NAME(vector) shift = {0};
  if (job->beta) memcpy(&shift, job->numbers + 2 * channels + first, sizeof shift);
  NAME(wide) sum = {0}, product = {0};
  for (int64_t part = 0; part < size; part += PART) {
    NAME(vector) a = {0}, b = {0};
    int64_t end = pk_min64(size, part + PART);
    for (int64_t i = part; i < end; i++) {
      PASSED
      if (masked) PUT(masked + i * step, d);
      a += d;
      b += d * c;
    }
    sum += __builtin_convertvector(a, NAME(wide));
    product += __builtin_convertvector(b, NAME(wide));
  }
  double *out = sums_of(job, sample, first);
  for (int lane = 0; lane < LANES; lane++) {
    out[2 * lane] = sum[lane];
    out[2 * lane + 1] = product[lane];
  }
}

// dx = (dy - level - (x - mean) * slope) * scale.
PK_CLONES static void NAME(input_gradient)(const void *context, int64_t sample, int64_t group) {
  const norm_job *job = context;
  int64_t size = job->blocks.size, step = job->blocks.block, channels = job->blocks.channels;
  int64_t start = start_of(job, sample, group), first = group * LANES;
  const S *x = (const S *)job->x + start, *y = job->y ? (const S *)job->y + start : NULL;
  // What the first sweep has kept is masked already.
  const S *dy = (const S *)(job->masked ? job->masked : job->dy) + start;
  pk_mask mask = job->masked ? PK_MASK_NONE : job->mask;
  S *dx = (S *)job->out + start;
  NUMBERS(mean, 0);
  NUMBERS(scale, 1);
  NUMBERS(level, 3);
  NUMBERS(slope, 4);
  NAME(vector) shift = {0};
  if (job->beta) memcpy(&shift, job->numbers + 2 * channels + first, sizeof shift);
  for (int64_t i = 0; i < size; i++) {
    PASSED
    NAME(vector) v = (d - level - c * slope) * scale;
    PUT(dx + i * step, v);
  }
}

#undef GET
#undef PUT
#undef NUMBERS
#undef UNLESS_NOT_POSITIVE
#undef PASSED
