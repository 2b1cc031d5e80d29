#include <math.h>

#include "../Random/philox.h"
#include "../Support/half.h"
#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "pk_update.h"

// Elements are handed to threads in pieces of this size, so that vectors begin at the same places on any
// number of them.
#define PIECE 4096

// The gradient is g · scale + p · pull; p becomes p · keep - size · m / (√v · correction + epsilon).
typedef struct {
  float scale, pull, keep, beta1, beta2, rest1, rest2, correction, epsilon, size;
} adam_numbers;

typedef struct {
  float p, m, v;
} adam_element;

PK_INLINE adam_element adam_step(adam_numbers a, float p, float g, float m, float v) {
  float gradient = g * a.scale + p * a.pull;
  float mean = m * a.beta1 + gradient * a.rest1;
  float square = v * a.beta2 + gradient * gradient * a.rest2;
  float root = __builtin_elementwise_sqrt(square) * a.correction + a.epsilon;
  return (adam_element){p * a.keep - a.size * (mean / root), mean, square};
}

static adam_numbers prepare(const pk_adam *rule, float rate, float step, float scale) {
  // 1 - betaᵗ as -expm1(t log(beta)), which keeps its digits for beta near 1.
  double correction1 = -expm1((double)step * log(rule->beta1));
  double correction2 = -expm1((double)step * log(rule->beta2));
  return (adam_numbers){
      .scale = scale,
      .pull = rule->decoupled ? 0 : (float)rule->weight_decay,
      .keep = rule->decoupled ? (float)(1 - (double)rate * rule->weight_decay) : 1,
      .beta1 = (float)rule->beta1,
      .beta2 = (float)rule->beta2,
      .rest1 = (float)(1 - rule->beta1),
      .rest2 = (float)(1 - rule->beta2),
      .correction = (float)(1 / sqrt(correction2)),
      .epsilon = (float)rule->epsilon,
      .size = (float)((double)rate / correction1),
  };
}

typedef struct {
  float *new_p, *new_m, *new_v;
  const float *p, *g, *m, *v;
  int64_t count;
  adam_numbers numbers;
} adam_job;

PK_LEVELS(void, adam_piece, (const adam_job *job, int64_t begin, int64_t n), (job, begin, n)) {
  const float *p = job->p + begin, *g = job->g + begin, *m = job->m + begin, *v = job->v + begin;
  float *new_p = job->new_p + begin, *new_m = job->new_m + begin, *new_v = job->new_v + begin;
  adam_numbers numbers = job->numbers;
  PK_VECTOR for (int64_t i = 0; i < n; i++) {
    adam_element e = adam_step(numbers, p[i], g[i], m[i], v[i]);
    new_p[i] = e.p;
    new_m[i] = e.m;
    new_v[i] = e.v;
  }
}

static void run(void *context, int64_t begin, int64_t end) {
  const adam_job *job = context;
  int64_t first = begin * PIECE;
  adam_piece(job, first, pk_min64(end * PIECE, job->count) - first);
}

void pk_adam_update(float *new_p, float *new_m, float *new_v, const float *p, const float *g, const float *m,
                    const float *v, int64_t count, const pk_adam *rule, float rate, float step, float scale,
                    int threads) {
  adam_job job = {new_p, new_m, new_v, p, g, m, v, count, prepare(rule, rate, step, scale)};
  pk_parallel_ranges(pk_useful_threads(threads, count * 4), pk_ceil_div(count, PIECE), run, &job);
}

typedef struct {
  float *new_p;
  uint16_t *new_m, *new_v;
  const float *p, *g;
  const uint16_t *m, *v;
  int64_t count;
  adam_numbers numbers;
  pk_adam_draw draw;
} low_job;

// `draw` below 2^16 carries into the part that is kept with the probability that the rest asks for.
PK_INLINE uint16_t round_at_random(float x, uint32_t draw) {
  uint32_t bits = pk_bits_of(x), first = 27u << 23, end = 227u << 23;
  uint32_t drawn = (bits + draw) >> 16, nearest = pk_to_bf16(x);
  return (uint16_t)((bits & 0x7fffffffu) - first < end - first ? drawn : nearest);
}

PK_LEVELS(void, low_piece, (const low_job *job, int64_t begin, int64_t n, const uint32_t *words),
          (job, begin, n, words)) {
  const float *p = job->p + begin, *g = job->g + begin;
  const uint16_t *m = job->m + begin, *v = job->v + begin;
  float *new_p = job->new_p + begin;
  uint16_t *new_m = job->new_m + begin, *new_v = job->new_v + begin;
  adam_numbers numbers = job->numbers;
  PK_VECTOR for (int64_t i = 0; i < n; i++) {
    adam_element e = adam_step(numbers, p[i], g[i], pk_from_bf16(m[i]), pk_from_bf16(v[i]));
    new_p[i] = e.p;
    new_m[i] = round_at_random(e.m, words[i] & 0xffffu);
    new_v[i] = round_at_random(e.v, words[i] >> 16);
  }
}

static void run_low(void *context, int64_t begin, int64_t end) {
  const low_job *job = context;
  uint32_t words[PIECE];
  for (int64_t piece = begin; piece < end; piece++) {
    int64_t first = piece * PIECE, n = pk_min64(PIECE, job->count - first);
    pk_philox_words(words, (uint64_t)first, n, job->draw.seed, job->draw.step, job->draw.stream);
    low_piece(job, first, n, words);
  }
}

void pk_adam_update_bf16(float *new_p, uint16_t *new_m, uint16_t *new_v, const float *p, const float *g,
                         const uint16_t *m, const uint16_t *v, int64_t count, const pk_adam *rule, float rate,
                         float step, float scale, const pk_adam_draw *draw, int threads) {
  low_job job = {new_p, new_m, new_v, p, g, m, v, count, prepare(rule, rate, step, scale), *draw};
  pk_parallel_ranges(pk_useful_threads(threads, count * 8), pk_ceil_div(count, PIECE), run_low, &job);
}
