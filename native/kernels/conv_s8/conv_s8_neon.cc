#include "native/kernels/conv_s8/conv_s8_neon.h"
#include "native/kernels/gemm_s8_neon_plain.h"

namespace hone {

void conv_s8_neon(const ConvS8Shape& shape, const ConvS8Args& args, const Tile& tile) {
  run_conv<GemmS8Neon>(shape, args, tile, kConvS8NeonFormat);
}

}  // namespace hone
