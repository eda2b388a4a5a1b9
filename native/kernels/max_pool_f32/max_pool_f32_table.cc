#include "native/kernels/max_pool_f32/max_pool_f32.h"

namespace hone {

void max_pool_f32_ref(const MaxPoolF32Args& args, const Tile& tile);
void max_pool_f32_avx2(const MaxPoolF32Args& args, const Tile& tile);
void max_pool_f32_neon(const MaxPoolF32Args& args, const Tile& tile);

const MaxPoolF32Row kMaxPoolF32Rows[] = {
#if defined(__x86_64__)
    {"max_pool_f32_avx2", kCpuAvx2, max_pool_f32_avx2},
#elif defined(__aarch64__)
    {"max_pool_f32_neon", kCpuNeon, max_pool_f32_neon},
#endif
    {"max_pool_f32_ref", kCpuRef, max_pool_f32_ref},
};
const int kMaxPoolF32RowCount = sizeof(kMaxPoolF32Rows) / sizeof(kMaxPoolF32Rows[0]);

}  // namespace hone
