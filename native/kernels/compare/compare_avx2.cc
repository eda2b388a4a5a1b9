#include "native/kernels/compare/compare_loops.h"
#include "native/kernels/compare/compare_rows.h"

namespace hone {

void compare_avx2(const CompareArgs& args, const Tile& tile) { compare_tile(args, tile); }

}  // namespace hone
