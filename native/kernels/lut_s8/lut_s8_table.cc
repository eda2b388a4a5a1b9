#include "native/kernels/lut_s8/lut_s8.h"

namespace hone {

void lut_s8_ref(const LutS8Args& args, const Tile& tile);
void lut_s8_avx2(const LutS8Args& args, const Tile& tile);
void lut_s8_neon(const LutS8Args& args, const Tile& tile);

const LutS8Row kLutS8Rows[] = {
#if defined(__x86_64__)
    {"lut_s8_avx2", kCpuAvx2, lut_s8_avx2},
#elif defined(__aarch64__)
    {"lut_s8_neon", kCpuNeon, lut_s8_neon},
#endif
    {"lut_s8_ref", kCpuRef, lut_s8_ref},
};
const int kLutS8RowCount = sizeof(kLutS8Rows) / sizeof(kLutS8Rows[0]);

}  // namespace hone
