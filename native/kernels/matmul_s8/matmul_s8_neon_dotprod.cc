#include "native/kernels/gemm_s8_neon_dotprod.h"
#include "native/kernels/matmul_s8/matmul_s8_neon_gemm.h"

namespace hone {

void matmul_s8_neon_dotprod(const MatmulS8Args& args, const Tile& tile) {
  multiply_bytes<GemmS8NeonDotprod>(args, tile, kMatmulS8NeonDotprodFormat);
}

}  // namespace hone
