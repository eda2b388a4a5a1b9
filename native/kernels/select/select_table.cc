#include "native/kernels/select/select_rows.h"

namespace hone {

const SelectRow kSelectRows[] = {
#if defined(__x86_64__)
    {"select_avx2", kCpuAvx2, select_avx2},
#elif defined(__aarch64__)
    {"select_neon", kCpuNeon, select_neon},
#endif
    {"select_ref", kCpuRef, select_ref},
};
const int kSelectRowCount = sizeof(kSelectRows) / sizeof(kSelectRows[0]);

}  // namespace hone
