#include "native/kernels/binary_f32/binary_f32.h"

namespace hone {

void binary_f32_ref(const BinaryF32Args& args, const Tile& tile);
void binary_f32_avx2(const BinaryF32Args& args, const Tile& tile);
void binary_f32_neon(const BinaryF32Args& args, const Tile& tile);

const BinaryF32Row kBinaryF32Rows[] = {
#if defined(__x86_64__)
    {"binary_f32_avx2", kCpuAvx2, binary_f32_avx2},
#elif defined(__aarch64__)
    {"binary_f32_neon", kCpuNeon, binary_f32_neon},
#endif
    {"binary_f32_ref", kCpuRef, binary_f32_ref},
};
const int kBinaryF32RowCount = sizeof(kBinaryF32Rows) / sizeof(kBinaryF32Rows[0]);

}  // namespace hone
