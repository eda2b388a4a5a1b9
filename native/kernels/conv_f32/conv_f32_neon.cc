#include "native/kernels/conv_f32/conv_f32_simd.h"

namespace hone {

void conv_f32_neon(const ConvF32Shape& shape, const ConvF32Args& args, const Tile& tile) {
  conv_f32_simd(shape, args, tile);
}

}  // namespace hone
