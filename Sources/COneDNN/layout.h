// Layouts of tensors [n, channels, spatial…], by name.
#ifndef PDNN_LAYOUT_H
#define PDNN_LAYOUT_H

#include "primitive.h"

// The descriptor of a tensor of `rank` dimensions that lies as `layout` says.
dnnl_status_t pdnn_describe(pdnn_pool *pool, pdnn_desc *out, int rank, const int64_t *shape, dnnl_data_type_t type,
                            pdnn_layout layout);

// The name of a descriptor's layout; kind PDNN_PACKED where it has none.
pdnn_layout pdnn_name(pdnn_desc desc, int rank, const int64_t *shape, dnnl_data_type_t type);

// A stage that copies between two layouts of one tensor.
dnnl_status_t pdnn_add_reorder(pdnn_primitive *p, pdnn_desc from, pdnn_place from_place,
                               size_t from_where, pdnn_desc to, pdnn_place to_place, size_t to_where);

#endif
