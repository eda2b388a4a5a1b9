#include "native/kernels/cast/cast_rows.h"

namespace hone {

const CastRow kCastRows[] = {
#if defined(__x86_64__)
    {"cast_avx2", kCpuAvx2, cast_avx2},
#elif defined(__aarch64__)
    {"cast_neon", kCpuNeon, cast_neon},
#endif
    {"cast_ref", kCpuRef, cast_ref},
};
const int kCastRowCount = sizeof(kCastRows) / sizeof(kCastRows[0]);

}  // namespace hone
