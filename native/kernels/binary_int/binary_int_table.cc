#include "native/kernels/binary_int/binary_int_rows.h"

namespace hone {

const BinaryIntRow kBinaryIntRows[] = {
#if defined(__x86_64__)
    {"binary_int_avx2", kCpuAvx2, binary_int_avx2},
#elif defined(__aarch64__)
    {"binary_int_neon", kCpuNeon, binary_int_neon},
#endif
    {"binary_int_ref", kCpuRef, binary_int_ref},
};
const int kBinaryIntRowCount = sizeof(kBinaryIntRows) / sizeof(kBinaryIntRows[0]);

}  // namespace hone
