#include "native/kernels/fc_s8/fc_s8_neon.h"
#include "native/kernels/gemm_s8_neon_plain.h"

namespace hone {

void fc_s8_neon(const FcS8Shape& shape, const FcS8Args& args, const Tile& tile) {
  run_fc<GemmS8Neon, 4>(shape, args, tile, kFcS8NeonFormat);
}

}  // namespace hone
