#include "native/kernels/interpolate_f32/interpolate_f32_simd.h"

namespace hone {

void interpolate_f32_avx2(const InterpolateF32Args& args, const Tile& tile) { interpolate_simd(args, tile); }

}  // namespace hone
