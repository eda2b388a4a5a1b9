#include "native/kernels/dequantize_s8/dequantize_s8.h"

namespace hone {

void dequantize_s8_ref(const DequantizeS8Args& args, const Tile& tile);
void dequantize_s8_avx2(const DequantizeS8Args& args, const Tile& tile);
void dequantize_s8_neon(const DequantizeS8Args& args, const Tile& tile);

const DequantizeS8Row kDequantizeS8Rows[] = {
#if defined(__x86_64__)
    {"dequantize_s8_avx2", kCpuAvx2, dequantize_s8_avx2},
#elif defined(__aarch64__)
    {"dequantize_s8_neon", kCpuNeon, dequantize_s8_neon},
#endif
    {"dequantize_s8_ref", kCpuRef, dequantize_s8_ref},
};
const int kDequantizeS8RowCount = sizeof(kDequantizeS8Rows) / sizeof(kDequantizeS8Rows[0]);

}  // namespace hone
