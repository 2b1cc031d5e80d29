#include <math.h>

#include "../Support/parallel.h"
#include "../Support/simd.h"
#include "pk_update.h"

// Elements are handed to threads in pieces of this size, so that vectors begin at the same places on any
// number of them.
#define PIECE 4096

typedef struct {
  float *new_p, *new_m, *new_v;
  const float *p, *g, *m, *v;
  int64_t count;
  // The gradient is g · scale + p · pull; p becomes p · keep - size · m / (√v · correction + epsilon).
  float scale, pull, keep, beta1, beta2, rest1, rest2, correction, epsilon, size;
} adam_job;

PK_LEVELS(void, adam_piece, (const adam_job *job, int64_t begin, int64_t n), (job, begin, n)) {
  const float *p = job->p + begin, *g = job->g + begin, *m = job->m + begin, *v = job->v + begin;
  float *new_p = job->new_p + begin, *new_m = job->new_m + begin, *new_v = job->new_v + begin;
  float scale = job->scale, pull = job->pull, keep = job->keep, beta1 = job->beta1, beta2 = job->beta2;
  float rest1 = job->rest1, rest2 = job->rest2, correction = job->correction, epsilon = job->epsilon;
  float size = job->size;
  PK_VECTOR for (int64_t i = 0; i < n; i++) {
    float gradient = g[i] * scale + p[i] * pull;
    float mean = m[i] * beta1 + gradient * rest1;
    float square = v[i] * beta2 + gradient * gradient * rest2;
    float root = __builtin_elementwise_sqrt(square) * correction + epsilon;
    new_p[i] = p[i] * keep - size * (mean / root);
    new_m[i] = mean;
    new_v[i] = square;
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
  // 1 - betaᵗ as -expm1(t log(beta)), which keeps its digits for beta near 1.
  double correction1 = -expm1((double)step * log(rule->beta1));
  double correction2 = -expm1((double)step * log(rule->beta2));
  adam_job job = {
      .new_p = new_p, .new_m = new_m, .new_v = new_v, .p = p, .g = g, .m = m, .v = v, .count = count};
  job.scale = scale;
  job.pull = rule->decoupled ? 0 : (float)rule->weight_decay;
  job.keep = rule->decoupled ? (float)(1 - (double)rate * rule->weight_decay) : 1;
  job.beta1 = (float)rule->beta1;
  job.beta2 = (float)rule->beta2;
  job.rest1 = (float)(1 - rule->beta1);
  job.rest2 = (float)(1 - rule->beta2);
  job.correction = (float)(1 / sqrt(correction2));
  job.epsilon = (float)rule->epsilon;
  job.size = (float)((double)rate / correction1);
  pk_parallel_ranges(pk_useful_threads(threads, count * 4), pk_ceil_div(count, PIECE), run, &job);
}
