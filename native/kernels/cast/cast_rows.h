#pragma once
#include "native/kernels/cast/cast.h"

/// What the table and the instruction-set files of cast share. Symbol = file = table row.
namespace hone {

void cast_ref(const CastArgs& args, const Tile& tile);
void cast_avx2(const CastArgs& args, const Tile& tile);
void cast_neon(const CastArgs& args, const Tile& tile);

}  // namespace hone
