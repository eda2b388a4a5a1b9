#include "native/kernels/dwconv_s8/dwconv_s8_neon_sdot.h"

namespace hone {

/// smmla multiplies every row with every column, and channels of a depthwise convolution do not meet: sdot
/// stays the best instruction. The row is the sdot body, compiled for these cores.
void dwconv_s8_neon_i8mm(const DwconvS8Shape& shape, const DwconvS8Args& args, const Tile& tile) {
  run_dwconv_sdot(shape, args, tile);
}

}  // namespace hone
