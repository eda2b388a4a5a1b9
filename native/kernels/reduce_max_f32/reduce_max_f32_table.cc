#include "native/kernels/reduce_max_f32/reduce_max_f32.h"

namespace hone {

void reduce_max_f32_ref(const ReduceMaxF32Args& args, const Tile& tile);
void reduce_max_f32_avx2(const ReduceMaxF32Args& args, const Tile& tile);
void reduce_max_f32_neon(const ReduceMaxF32Args& args, const Tile& tile);

const ReduceMaxF32Row kReduceMaxF32Rows[] = {
#if defined(__x86_64__)
    {"reduce_max_f32_avx2", kCpuAvx2, reduce_max_f32_avx2},
#elif defined(__aarch64__)
    {"reduce_max_f32_neon", kCpuNeon, reduce_max_f32_neon},
#endif
    {"reduce_max_f32_ref", kCpuRef, reduce_max_f32_ref},
};
const int kReduceMaxF32RowCount = sizeof(kReduceMaxF32Rows) / sizeof(kReduceMaxF32Rows[0]);

}  // namespace hone
