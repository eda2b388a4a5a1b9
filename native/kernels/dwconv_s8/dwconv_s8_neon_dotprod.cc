#include "native/kernels/dwconv_s8/dwconv_s8_neon_sdot.h"

namespace hone {

void dwconv_s8_neon_dotprod(const DwconvS8Shape& shape, const DwconvS8Args& args, const Tile& tile) {
  run_dwconv_sdot(shape, args, tile);
}

}  // namespace hone
