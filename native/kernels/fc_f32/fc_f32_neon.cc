#include "native/kernels/fc_f32/fc_f32_simd.h"

namespace hone {

void fc_f32_neon(const FcF32Shape& shape, const FcF32Args& args, const Tile& tile) {
  fc_f32_simd<kFcF32NeonBlock>(shape, args, tile);
}

}  // namespace hone
