#include "native/kernels/clamp_f32/clamp_f32_simd.h"

namespace hone {

void clamp_f32_neon(const ClampF32Args& args, const Tile& tile) { clamp_f32_simd(args, tile); }

}  // namespace hone
