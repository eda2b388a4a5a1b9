#include "native/kernels/quantize_s8/quantize_s8.h"

namespace hone {

void quantize_s8_ref(const QuantizeS8Args& args, const Tile& tile);
void quantize_s8_avx2(const QuantizeS8Args& args, const Tile& tile);
void quantize_s8_neon(const QuantizeS8Args& args, const Tile& tile);

const QuantizeS8Row kQuantizeS8Rows[] = {
#if defined(__x86_64__)
    {"quantize_s8_avx2", kCpuAvx2, quantize_s8_avx2},
#elif defined(__aarch64__)
    {"quantize_s8_neon", kCpuNeon, quantize_s8_neon},
#endif
    {"quantize_s8_ref", kCpuRef, quantize_s8_ref},
};
const int kQuantizeS8RowCount = sizeof(kQuantizeS8Rows) / sizeof(kQuantizeS8Rows[0]);

}  // namespace hone
