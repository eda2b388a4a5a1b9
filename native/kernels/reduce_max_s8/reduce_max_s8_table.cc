#include "native/kernels/reduce_max_s8/reduce_max_s8.h"

namespace hone {

void reduce_max_s8_ref(const ReduceMaxS8Args& args, const Tile& tile);
void reduce_max_s8_avx2(const ReduceMaxS8Args& args, const Tile& tile);
void reduce_max_s8_neon(const ReduceMaxS8Args& args, const Tile& tile);

const ReduceMaxS8Row kReduceMaxS8Rows[] = {
#if defined(__x86_64__)
    {"reduce_max_s8_avx2", kCpuAvx2, reduce_max_s8_avx2},
#elif defined(__aarch64__)
    {"reduce_max_s8_neon", kCpuNeon, reduce_max_s8_neon},
#endif
    {"reduce_max_s8_ref", kCpuRef, reduce_max_s8_ref},
};
const int kReduceMaxS8RowCount = sizeof(kReduceMaxS8Rows) / sizeof(kReduceMaxS8Rows[0]);

}  // namespace hone
