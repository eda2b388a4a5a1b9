#include "native/kernels/fc_s8/fc_s8_neon.h"
#include "native/kernels/gemm_s8_neon_i8mm.h"

namespace hone {

void fc_s8_neon_i8mm(const FcS8Shape& shape, const FcS8Args& args, const Tile& tile) {
  run_fc<GemmS8NeonI8mm, 0>(shape, args, tile, kFcS8NeonI8mmFormat);
}

}  // namespace hone
