#include "native/kernels/clamp_f32/clamp_f32.h"

namespace hone {

void clamp_f32_ref(const ClampF32Args& args, const Tile& tile);
void clamp_f32_avx2(const ClampF32Args& args, const Tile& tile);
void clamp_f32_neon(const ClampF32Args& args, const Tile& tile);

const ClampF32Row kClampF32Rows[] = {
#if defined(__x86_64__)
    {"clamp_f32_avx2", kCpuAvx2, clamp_f32_avx2},
#elif defined(__aarch64__)
    {"clamp_f32_neon", kCpuNeon, clamp_f32_neon},
#endif
    {"clamp_f32_ref", kCpuRef, clamp_f32_ref},
};
const int kClampF32RowCount = sizeof(kClampF32Rows) / sizeof(kClampF32Rows[0]);

}  // namespace hone
