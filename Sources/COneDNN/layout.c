#include "layout.h"

#include <string.h>

// By number of spatial dimensions.
static const dnnl_format_tag_t plain[] = {dnnl_ncw, dnnl_nchw, dnnl_ncdhw};
static const dnnl_format_tag_t last[] = {dnnl_nwc, dnnl_nhwc, dnnl_ndhwc};
static const dnnl_format_tag_t eights[] = {dnnl_nCw8c, dnnl_nChw8c, dnnl_nCdhw8c};
static const dnnl_format_tag_t sixteens[] = {dnnl_nCw16c, dnnl_nChw16c, dnnl_nCdhw16c};

dnnl_status_t pdnn_describe(pdnn_pool *pool, pdnn_desc *out, int rank, const int64_t *shape, dnnl_data_type_t type,
                            pdnn_layout layout) {
  if (rank < 3 || rank > 5) return dnnl_invalid_arguments;
  dnnl_dims_t dims = {0};
  memcpy(dims, shape, (size_t)rank * sizeof *dims);
  const dnnl_format_tag_t *tags = plain;
  if (layout.kind == PDNN_BLOCKED) {
    if (layout.block < 1 || shape[1] % layout.block) return dnnl_invalid_arguments;
    // Channels last are one block that holds them all.
    tags = layout.block == shape[1] ? last : layout.block == 16 ? sixteens : layout.block == 8 ? eights : NULL;
  }
  if (!tags) return dnnl_invalid_arguments;
  return pdnn_desc_by_tag(pool, out, rank, dims, type, tags[rank - 3]);
}

pdnn_layout pdnn_name(pdnn_desc desc, int rank, const int64_t *shape, dnnl_data_type_t type) {
  const pdnn_layout names[] = {{PDNN_PLAIN, 0}, {PDNN_BLOCKED, 16}, {PDNN_BLOCKED, 8}, {PDNN_BLOCKED, shape[1]}};
  pdnn_layout found = {PDNN_PACKED, 0};
  pdnn_pool pool = {0};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    pdnn_desc named;
    if (pdnn_describe(&pool, &named, rank, shape, type, names[i]) != dnnl_success) continue;
    if (!dnnl_memory_desc_equal(desc, named)) continue;
    found = names[i];
    break;
  }
  pdnn_pool_free(&pool);
  return found;
}

dnnl_status_t pdnn_add_reorder(pdnn_primitive *p, pdnn_desc from, pdnn_place from_place,
                               size_t from_where, pdnn_desc to, pdnn_place to_place,
                               size_t to_where) {
  dnnl_primitive_attr_t attr = NULL;
  dnnl_primitive_desc_t descriptor = NULL;
  dnnl_status_t status = pdnn_user_scratchpad(&attr);
  if (status == dnnl_success) {
    status = dnnl_reorder_primitive_desc_create(&descriptor, from, pdnn_engine(), to, pdnn_engine(), attr);
  }
  if (attr) dnnl_primitive_attr_destroy(attr);
  if (status == dnnl_success) status = pdnn_add_stage(p, descriptor);
  if (status == dnnl_success) status = pdnn_add_arg(p, DNNL_ARG_FROM, from_place, from_where, from);
  if (status == dnnl_success) status = pdnn_add_arg(p, DNNL_ARG_TO, to_place, to_where, to);
  return status;
}
