#include "native/kernels/fc_s8/fc_s8_neon.h"
#include "native/kernels/gemm_s8_neon_dotprod.h"

namespace hone {

void fc_s8_neon_dotprod(const FcS8Shape& shape, const FcS8Args& args, const Tile& tile) {
  run_fc<GemmS8NeonDotprod, 2>(shape, args, tile, kFcS8NeonDotprodFormat);
}

}  // namespace hone
