// The transforms of one row of a tile, for the points 0, ±A, ±B and infinity.
#ifndef PK_WINOGRAD_POINTS_H
#define PK_WINOGRAD_POINTS_H

#include "shape.h"

#define A 0.625f
#define B 1.5f
#define A2 (A * A)
#define B2 (B * B)
#define A3 (A * A * A)
#define B3 (B * B * B)
// One over the value that Lagrange's polynomial has at its own point.
#define N0 (1 / (A2 * B2))
#define NA (1 / (2 * A2 * (A2 - B2)))
#define NB (1 / (2 * B2 * (B2 - A2)))

// Six numbers of the input: r = Bᵀ d.
PK_INLINE void input_row(lanes *r, const lanes *d) {
  lanes even = d[4] - B2 * d[2], odd = d[3] - B2 * d[1];
  r[1] = even + A * odd;
  r[2] = even - A * odd;
  even = d[4] - A2 * d[2];
  odd = d[3] - A2 * d[1];
  r[3] = even + B * odd;
  r[4] = even - B * odd;
  r[0] = A2 * B2 * d[0] + (d[4] - (A2 + B2) * d[2]);
  r[5] = A2 * B2 * d[1] + (d[5] - (A2 + B2) * d[3]);
}

// Four numbers of the output: r = Aᵀ m.
PK_INLINE void output_row(lanes *r, const lanes *m) {
  lanes a = m[1] + m[2], b = m[3] + m[4], c = m[1] - m[2], d = m[3] - m[4];
  r[0] = m[0] + a + b;
  r[1] = A * c + B * d;
  r[2] = A2 * a + B2 * b;
  r[3] = A3 * c + B3 * d + m[5];
}

// Six from four numbers of the output's gradient: r = A y.
PK_INLINE void cotangent_row(lanes *r, const lanes *y) {
  lanes even = y[0] + A2 * y[2], odd = A * y[1] + A3 * y[3];
  r[1] = even + odd;
  r[2] = even - odd;
  even = y[0] + B2 * y[2];
  odd = B * y[1] + B3 * y[3];
  r[3] = even + odd;
  r[4] = even - odd;
  r[0] = y[0];
  r[5] = y[3];
}

// Six from three numbers of a filter: r = G g.
PK_INLINE void filter_row(lanes *r, const lanes *g) {
  lanes even = NA * g[0] + NA * A2 * g[2], odd = NA * A * g[1];
  r[1] = even + odd;
  r[2] = even - odd;
  even = NB * g[0] + NB * B2 * g[2];
  odd = NB * B * g[1];
  r[3] = even + odd;
  r[4] = even - odd;
  r[0] = N0 * g[0];
  r[5] = g[2];
}

// Three numbers of a filter's gradient: r = Gᵀ u.
PK_INLINE void filter_gradient_row(lanes *r, const lanes *u) {
  lanes a = NA * (u[1] + u[2]), b = NB * (u[3] + u[4]);
  r[0] = N0 * u[0] + a + b;
  r[1] = NA * A * (u[1] - u[2]) + NB * B * (u[3] - u[4]);
  r[2] = A2 * a + B2 * b + u[5];
}

#endif
