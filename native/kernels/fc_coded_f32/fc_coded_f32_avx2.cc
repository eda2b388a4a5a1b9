#include "native/kernels/fc_coded_f32/fc_coded_f32_simd.h"

namespace hone {

void fc_coded_f32_avx2(const FcCodedF32Shape& shape, const FcCodedF32Args& args, const Tile& tile) {
  fc_coded_f32_simd(shape, args, tile);
}

}  // namespace hone
