#include "layout.h"

#include <string.h>

// By number of spatial dimensions.
static const dnnl_format_tag_t plain[] = {dnnl_ncw, dnnl_nchw, dnnl_ncdhw};
static const dnnl_format_tag_t last[] = {dnnl_nwc, dnnl_nhwc, dnnl_ndhwc};
static const dnnl_format_tag_t eights[] = {dnnl_nCw8c, dnnl_nChw8c, dnnl_nCdhw8c};
static const dnnl_format_tag_t sixteens[] = {dnnl_nCw16c, dnnl_nChw16c, dnnl_nCdhw16c};

dnnl_status_t pdnn_describe(dnnl_memory_desc_t *out, int rank, const int64_t *shape, dnnl_data_type_t type,
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
  return dnnl_memory_desc_init_by_tag(out, rank, dims, type, tags[rank - 3]);
}

pdnn_layout pdnn_name(const dnnl_memory_desc_t *desc, int rank, const int64_t *shape, dnnl_data_type_t type) {
  const pdnn_layout names[] = {{PDNN_PLAIN, 0}, {PDNN_BLOCKED, 16}, {PDNN_BLOCKED, 8}, {PDNN_BLOCKED, shape[1]}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    dnnl_memory_desc_t named;
    if (pdnn_describe(&named, rank, shape, type, names[i]) != dnnl_success) continue;
    if (dnnl_memory_desc_equal(desc, &named)) return names[i];
  }
  return (pdnn_layout){PDNN_PACKED, 0};
}

dnnl_status_t pdnn_add_reorder(pdnn_primitive *p, const dnnl_memory_desc_t *from, pdnn_place from_place,
                               size_t from_where, const dnnl_memory_desc_t *to, pdnn_place to_place,
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
