/// The loops that no library has: everything here is plain C that a compiler turns into vector instructions.
///
/// Conventions that hold for every function:
/// - Buffers are dense and row-major unless strides are given; strides count elements, never bytes.
/// - `threads` is how many threads may work; small work runs on the calling thread. Threads come from the
///   OpenMP team that oneDNN uses too. Results do not depend on `threads`: work is cut at places that only
///   shapes decide.
/// - Nothing is allocated unless the comment says so; scratch memory is the caller's, sized by a
///   `…_workspace` function.
/// - Pointers may have any alignment that their element type asks for. Buffers do not overlap unless the
///   comment says so.
#ifndef PANDO_KERNELS_H
#define PANDO_KERNELS_H

#include "pk_attention.h"
#include "pk_blocks.h"
#include "pk_channels.h"
#include "pk_contract.h"
#include "pk_draw.h"
#include "pk_isa.h"
#include "pk_movement.h"
#include "pk_pooling.h"
#include "pk_reduction.h"
#include "pk_rows.h"
#include "pk_stream.h"
#include "pk_tile.h"
#include "pk_types.h"
#include "pk_update.h"
#include "pk_winograd.h"

#endif
