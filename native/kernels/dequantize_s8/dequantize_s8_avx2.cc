#include "native/kernels/dequantize_s8/dequantize_s8_simd.h"

namespace hone {

void dequantize_s8_avx2(const DequantizeS8Args& args, const Tile& tile) { dequantize_s8_simd(args, tile); }

}  // namespace hone
