#include "native/kernels/normalize_f32/normalize_f32.h"

namespace hone {

void normalize_f32_ref(const NormalizeF32Args& args, const Tile& tile);
void normalize_f32_avx2(const NormalizeF32Args& args, const Tile& tile);
void normalize_f32_neon(const NormalizeF32Args& args, const Tile& tile);

const NormalizeF32Row kNormalizeF32Rows[] = {
#if defined(__x86_64__)
    {"normalize_f32_avx2", kCpuAvx2, normalize_f32_avx2},
#elif defined(__aarch64__)
    {"normalize_f32_neon", kCpuNeon, normalize_f32_neon},
#endif
    {"normalize_f32_ref", kCpuRef, normalize_f32_ref},
};
const int kNormalizeF32RowCount = sizeof(kNormalizeF32Rows) / sizeof(kNormalizeF32Rows[0]);

}  // namespace hone
