#include "native/kernels/arg_extreme/arg_extreme_simd.h"

namespace hone {

void arg_extreme_avx2(const ArgExtremeArgs& args, const Tile& tile) { arg_extreme_simd(args, tile); }

}  // namespace hone
