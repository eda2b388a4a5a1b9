#include "native/kernels/unary_f32/unary_f32.h"

namespace hone {

void unary_f32_ref(const UnaryF32Args& args, const Tile& tile);
void unary_f32_avx2(const UnaryF32Args& args, const Tile& tile);
void unary_f32_neon(const UnaryF32Args& args, const Tile& tile);

const UnaryF32Row kUnaryF32Rows[] = {
#if defined(__x86_64__)
    {"unary_f32_avx2", kCpuAvx2, unary_f32_avx2},
#elif defined(__aarch64__)
    {"unary_f32_neon", kCpuNeon, unary_f32_neon},
#endif
    {"unary_f32_ref", kCpuRef, unary_f32_ref},
};
const int kUnaryF32RowCount = sizeof(kUnaryF32Rows) / sizeof(kUnaryF32Rows[0]);

}  // namespace hone
