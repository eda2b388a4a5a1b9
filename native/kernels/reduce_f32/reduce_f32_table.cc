#include "native/kernels/reduce_f32/reduce_f32.h"

namespace hone {

void reduce_f32_ref(const ReduceF32Args& args, const Tile& tile);
void reduce_f32_avx2(const ReduceF32Args& args, const Tile& tile);
void reduce_f32_neon(const ReduceF32Args& args, const Tile& tile);

const ReduceF32Row kReduceF32Rows[] = {
#if defined(__x86_64__)
    {"reduce_f32_avx2", kCpuAvx2, reduce_f32_avx2},
#elif defined(__aarch64__)
    {"reduce_f32_neon", kCpuNeon, reduce_f32_neon},
#endif
    {"reduce_f32_ref", kCpuRef, reduce_f32_ref},
};
const int kReduceF32RowCount = sizeof(kReduceF32Rows) / sizeof(kReduceF32Rows[0]);

}  // namespace hone
