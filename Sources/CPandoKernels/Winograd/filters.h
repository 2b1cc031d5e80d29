// Transforms of filters.
#ifndef PK_WINOGRAD_FILTERS_H
#define PK_WINOGRAD_FILTERS_H

#include "shape.h"

// How filters [out_channels, in_channels, 3, 3] are read: the channels that are summed over are rows, those of the
// result columns. For the gradient of the input these change places, and the filters are turned by half a turn.
typedef struct filters {
  int64_t rows, columns, row_stride, column_stride;
  int is_turned;
} filters;

filters pk_winograd_filters(const pk_winograd *shape, int is_turned);

// Transforms rows `begin` ..< `end` of the panel of columns at `column` into 36 matrices [row, width], `stride` apart.
void pk_winograd_filter(float *planes, int64_t stride, const float *w, const filters *f, int64_t column, int64_t width,
                        int64_t begin, int64_t end);

// Transforms 36 matrices [row, width] into rows `begin` ..< `end` of the filters' gradient; that of row `begin` is the
// matrices' first.
void pk_winograd_filter_gradient(float *dw, const float *planes, int64_t stride, const filters *f, int64_t column,
                                 int64_t width, int64_t begin, int64_t end);

#endif
