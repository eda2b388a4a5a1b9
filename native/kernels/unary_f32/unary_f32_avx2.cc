#include "native/kernels/simd.h"

#include "native/kernels/unary_f32/unary_rows.h"

namespace hone {

void unary_f32_avx2(const UnaryF32Args& args, const Tile& tile) { apply_unary(args, tile); }

}  // namespace hone
