#include "native/kernels/recurrent_f32/recurrent_f32_simd.h"

namespace hone {

void unary_f32_neon(const UnaryF32Args& args, const Tile& tile);

void recurrent_f32_neon(const RecurrentF32Shape& shape, const RecurrentF32Args& args, const Tile& tile) {
  recurrent_f32_simd(shape, args, tile, unary_f32_neon);
}

}  // namespace hone
