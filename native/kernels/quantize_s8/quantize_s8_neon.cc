#include "native/kernels/quantize_s8/quantize_s8_simd.h"

namespace hone {

void quantize_s8_neon(const QuantizeS8Args& args, const Tile& tile) { quantize_s8_simd(args, tile); }

}  // namespace hone
