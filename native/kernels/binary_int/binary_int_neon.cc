#include "native/kernels/binary_int/binary_int_loops.h"
#include "native/kernels/binary_int/binary_int_rows.h"

namespace hone {

void binary_int_neon(const BinaryIntArgs& args, const Tile& tile) { binary_int_tile(args, tile); }

}  // namespace hone
