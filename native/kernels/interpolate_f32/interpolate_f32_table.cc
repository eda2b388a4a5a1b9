#include "native/kernels/interpolate_f32/interpolate_f32.h"

namespace hone {

void interpolate_f32_ref(const InterpolateF32Args& args, const Tile& tile);
void interpolate_f32_avx2(const InterpolateF32Args& args, const Tile& tile);
void interpolate_f32_neon(const InterpolateF32Args& args, const Tile& tile);

const InterpolateF32Row kInterpolateF32Rows[] = {
#if defined(__x86_64__)
    {"interpolate_f32_avx2", kCpuAvx2, interpolate_f32_avx2},
#elif defined(__aarch64__)
    {"interpolate_f32_neon", kCpuNeon, interpolate_f32_neon},
#endif
    {"interpolate_f32_ref", kCpuRef, interpolate_f32_ref},
};
const int kInterpolateF32RowCount = sizeof(kInterpolateF32Rows) / sizeof(kInterpolateF32Rows[0]);

}  // namespace hone
