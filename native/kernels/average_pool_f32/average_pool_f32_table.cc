#include "native/kernels/average_pool_f32/average_pool_f32.h"

namespace hone {

void average_pool_f32_ref(const AveragePoolF32Args& args, const Tile& tile);
void average_pool_f32_avx2(const AveragePoolF32Args& args, const Tile& tile);
void average_pool_f32_neon(const AveragePoolF32Args& args, const Tile& tile);

const AveragePoolF32Row kAveragePoolF32Rows[] = {
#if defined(__x86_64__)
    {"average_pool_f32_avx2", kCpuAvx2, average_pool_f32_avx2},
#elif defined(__aarch64__)
    {"average_pool_f32_neon", kCpuNeon, average_pool_f32_neon},
#endif
    {"average_pool_f32_ref", kCpuRef, average_pool_f32_ref},
};
const int kAveragePoolF32RowCount = sizeof(kAveragePoolF32Rows) / sizeof(kAveragePoolF32Rows[0]);

}  // namespace hone
