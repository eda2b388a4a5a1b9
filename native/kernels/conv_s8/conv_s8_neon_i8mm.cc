#include "native/kernels/conv_s8/conv_s8_neon.h"
#include "native/kernels/gemm_s8_neon_i8mm.h"

namespace hone {

void conv_s8_neon_i8mm(const ConvS8Shape& shape, const ConvS8Args& args, const Tile& tile) {
  run_conv<GemmS8NeonI8mm>(shape, args, tile, kConvS8NeonI8mmFormat);
}

}  // namespace hone
