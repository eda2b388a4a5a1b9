#include "native/kernels/cast/cast_loops.h"
#include "native/kernels/cast/cast_rows.h"

namespace hone {

void cast_avx2(const CastArgs& args, const Tile& tile) { cast_tile(args, tile); }

}  // namespace hone
