#include "native/kernels/max_pool_s8/max_pool_s8.h"

namespace hone {

void max_pool_s8_ref(const MaxPoolS8Args& args, const Tile& tile);
void max_pool_s8_avx2(const MaxPoolS8Args& args, const Tile& tile);
void max_pool_s8_neon(const MaxPoolS8Args& args, const Tile& tile);

const MaxPoolS8Row kMaxPoolS8Rows[] = {
#if defined(__x86_64__)
    {"max_pool_s8_avx2", kCpuAvx2, max_pool_s8_avx2},
#elif defined(__aarch64__)
    {"max_pool_s8_neon", kCpuNeon, max_pool_s8_neon},
#endif
    {"max_pool_s8_ref", kCpuRef, max_pool_s8_ref},
};
const int kMaxPoolS8RowCount = sizeof(kMaxPoolS8Rows) / sizeof(kMaxPoolS8Rows[0]);

}  // namespace hone
