#include "native/kernels/softmax_f32/softmax_f32.h"

namespace hone {

void softmax_f32_ref(const SoftmaxF32Args& args, const Tile& tile);
void softmax_f32_avx2(const SoftmaxF32Args& args, const Tile& tile);
void softmax_f32_neon(const SoftmaxF32Args& args, const Tile& tile);

const SoftmaxF32Row kSoftmaxF32Rows[] = {
#if defined(__x86_64__)
    {"softmax_f32_avx2", kCpuAvx2, softmax_f32_avx2},
#elif defined(__aarch64__)
    {"softmax_f32_neon", kCpuNeon, softmax_f32_neon},
#endif
    {"softmax_f32_ref", kCpuRef, softmax_f32_ref},
};
const int kSoftmaxF32RowCount = sizeof(kSoftmaxF32Rows) / sizeof(kSoftmaxF32Rows[0]);

}  // namespace hone
