#include "native/kernels/binary_f32/binary_f32_simd.h"

namespace hone {

void binary_f32_avx2(const BinaryF32Args& args, const Tile& tile) { binary_f32_simd(args, tile); }

}  // namespace hone
