#include "native/kernels/conv_s8/conv_s8_neon.h"
#include "native/kernels/gemm_s8_neon_dotprod.h"

namespace hone {

void conv_s8_neon_dotprod(const ConvS8Shape& shape, const ConvS8Args& args, const Tile& tile) {
  run_conv<GemmS8NeonDotprod>(shape, args, tile, kConvS8NeonDotprodFormat);
}

}  // namespace hone
