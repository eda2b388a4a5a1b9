#include "native/kernels/quantize_s8/quantize_s8_simd.h"

namespace hone {

void quantize_s8_avx2(const QuantizeS8Args& args, const Tile& tile) { quantize_s8_simd(args, tile); }

}  // namespace hone
