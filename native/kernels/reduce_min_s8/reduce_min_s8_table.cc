#include "native/kernels/reduce_min_s8/reduce_min_s8.h"

namespace hone {

void reduce_min_s8_ref(const ReduceMinS8Args& args, const Tile& tile);
void reduce_min_s8_avx2(const ReduceMinS8Args& args, const Tile& tile);
void reduce_min_s8_neon(const ReduceMinS8Args& args, const Tile& tile);

const ReduceMinS8Row kReduceMinS8Rows[] = {
#if defined(__x86_64__)
    {"reduce_min_s8_avx2", kCpuAvx2, reduce_min_s8_avx2},
#elif defined(__aarch64__)
    {"reduce_min_s8_neon", kCpuNeon, reduce_min_s8_neon},
#endif
    {"reduce_min_s8_ref", kCpuRef, reduce_min_s8_ref},
};
const int kReduceMinS8RowCount = sizeof(kReduceMinS8Rows) / sizeof(kReduceMinS8Rows[0]);

}  // namespace hone
