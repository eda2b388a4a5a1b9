#include "native/kernels/average_pool_s8/average_pool_s8.h"

namespace hone {

void average_pool_s8_ref(const AveragePoolS8Args& args, const Tile& tile);
void average_pool_s8_avx2(const AveragePoolS8Args& args, const Tile& tile);
void average_pool_s8_neon(const AveragePoolS8Args& args, const Tile& tile);

const AveragePoolS8Row kAveragePoolS8Rows[] = {
#if defined(__x86_64__)
    {"average_pool_s8_avx2", kCpuAvx2, average_pool_s8_avx2},
#elif defined(__aarch64__)
    {"average_pool_s8_neon", kCpuNeon, average_pool_s8_neon},
#endif
    {"average_pool_s8_ref", kCpuRef, average_pool_s8_ref},
};
const int kAveragePoolS8RowCount = sizeof(kAveragePoolS8Rows) / sizeof(kAveragePoolS8Rows[0]);

}  // namespace hone
