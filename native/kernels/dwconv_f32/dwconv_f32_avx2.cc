#include "native/kernels/dwconv_f32/dwconv_f32_simd.h"

namespace hone {

void dwconv_f32_avx2(const DwconvF32Shape& shape, const DwconvF32Args& args, const Tile& tile) {
  dwconv_f32_simd(shape, args, tile);
}

}  // namespace hone
