#include "native/kernels/simd_scalar.h"

#include "native/kernels/unary_f32/unary_rows.h"

namespace hone {

void unary_f32_ref(const UnaryF32Args& args, const Tile& tile) { apply_unary(args, tile); }

}  // namespace hone
