#include "native/kernels/normalize_f32/normalize_f32_simd.h"

namespace hone {

void normalize_f32_neon(const NormalizeF32Args& args, const Tile& tile) { normalize_f32_simd(args, tile); }

}  // namespace hone
