#include "native/kernels/compare/compare_rows.h"

namespace hone {

const CompareRow kCompareRows[] = {
#if defined(__x86_64__)
    {"compare_avx2", kCpuAvx2, compare_avx2},
#elif defined(__aarch64__)
    {"compare_neon", kCpuNeon, compare_neon},
#endif
    {"compare_ref", kCpuRef, compare_ref},
};
const int kCompareRowCount = sizeof(kCompareRows) / sizeof(kCompareRows[0]);

}  // namespace hone
