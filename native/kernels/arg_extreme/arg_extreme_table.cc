#include "native/kernels/arg_extreme/arg_extreme.h"

namespace hone {

void arg_extreme_ref(const ArgExtremeArgs& args, const Tile& tile);
void arg_extreme_avx2(const ArgExtremeArgs& args, const Tile& tile);
void arg_extreme_neon(const ArgExtremeArgs& args, const Tile& tile);

const ArgExtremeRow kArgExtremeRows[] = {
#if defined(__x86_64__)
    {"arg_extreme_avx2", kCpuAvx2, arg_extreme_avx2},
#elif defined(__aarch64__)
    {"arg_extreme_neon", kCpuNeon, arg_extreme_neon},
#endif
    {"arg_extreme_ref", kCpuRef, arg_extreme_ref},
};
const int kArgExtremeRowCount = sizeof(kArgExtremeRows) / sizeof(kArgExtremeRows[0]);

}  // namespace hone
