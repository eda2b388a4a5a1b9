#include "native/kernels/reduce_min_f32/reduce_min_f32.h"

namespace hone {

void reduce_min_f32_ref(const ReduceMinF32Args& args, const Tile& tile);
void reduce_min_f32_avx2(const ReduceMinF32Args& args, const Tile& tile);
void reduce_min_f32_neon(const ReduceMinF32Args& args, const Tile& tile);

const ReduceMinF32Row kReduceMinF32Rows[] = {
#if defined(__x86_64__)
    {"reduce_min_f32_avx2", kCpuAvx2, reduce_min_f32_avx2},
#elif defined(__aarch64__)
    {"reduce_min_f32_neon", kCpuNeon, reduce_min_f32_neon},
#endif
    {"reduce_min_f32_ref", kCpuRef, reduce_min_f32_ref},
};
const int kReduceMinF32RowCount = sizeof(kReduceMinF32Rows) / sizeof(kReduceMinF32Rows[0]);

}  // namespace hone
