#include "native/kernels/binary_s8/binary_s8.h"

namespace hone {

void binary_s8_ref(const BinaryS8Args& args, const Tile& tile);
void binary_s8_avx2(const BinaryS8Args& args, const Tile& tile);
void binary_s8_neon(const BinaryS8Args& args, const Tile& tile);

const BinaryS8Row kBinaryS8Rows[] = {
#if defined(__x86_64__)
    {"binary_s8_avx2", kCpuAvx2, binary_s8_avx2},
#elif defined(__aarch64__)
    {"binary_s8_neon", kCpuNeon, binary_s8_neon},
#endif
    {"binary_s8_ref", kCpuRef, binary_s8_ref},
};
const int kBinaryS8RowCount = sizeof(kBinaryS8Rows) / sizeof(kBinaryS8Rows[0]);

}  // namespace hone
