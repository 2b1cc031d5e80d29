/// Optimizers' updates in one sweep over memory.
#ifndef PK_UPDATE_H
#define PK_UPDATE_H

#include "pk_types.h"

/// What a step of Adam has in common for all elements.
typedef struct pk_adam {
  double beta1, beta2, epsilon, weight_decay;
  /// Whether weight decay shrinks the parameter (AdamW) and does not go through the gradient.
  int decoupled;
} pk_adam;

/// One step of Adam over `count` float32 elements, from the old parameter p, gradient g and moments m and v to
/// the new p, m and v; each result may be written over its old values. The gradient is multiplied by `scale`
/// first. `step` is 1 for the first step.
void pk_adam_update(float *new_p, float *new_m, float *new_v, const float *p, const float *g, const float *m,
                    const float *v, int64_t count, const pk_adam *rule, float rate, float step, float scale,
                    int threads);

/// Which random numbers round bfloat16 moments: those of `PK_OP_RANDOM_BITS` in pk_tile.h.
typedef struct pk_adam_draw {
  uint64_t seed, step;
  uint32_t stream;
} pk_adam_draw;

/// The same with m and v as bfloat16 (their upper 16 bits), rounded up or down at random: with probability equal to
/// the share of the way to the next larger in magnitude. The word of element i decides, with its lower half over m
/// and its upper half over v. Magnitudes outside of 2^-100 ..< 2^100 are rounded to the nearest.
void pk_adam_update_bf16(float *new_p, uint16_t *new_m, uint16_t *new_v, const float *p, const float *g,
                         const uint16_t *m, const uint16_t *v, int64_t count, const pk_adam *rule, float rate,
                         float step, float scale, const pk_adam_draw *draw, int threads);

#endif
