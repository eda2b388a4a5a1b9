#include "native/kernels/fc_f32/fc_f32_simd.h"

namespace hone {

void fc_f32_avx2(const FcF32Shape& shape, const FcF32Args& args, const Tile& tile) {
  fc_f32_simd<kFcF32Avx2Block>(shape, args, tile);
}

}  // namespace hone
