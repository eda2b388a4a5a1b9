#include "native/kernels/softmax_f32/softmax_f32_simd.h"

namespace hone {

void softmax_f32_neon(const SoftmaxF32Args& args, const Tile& tile) { softmax_f32_simd(args, tile); }

}  // namespace hone
