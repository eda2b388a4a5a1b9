#include "native/kernels/copy_nd/copy_nd.h"

namespace hone {

void copy_nd_ref(const CopyNdArgs& args, const Tile& tile);
void copy_nd_avx2(const CopyNdArgs& args, const Tile& tile);
void copy_nd_neon(const CopyNdArgs& args, const Tile& tile);

const CopyNdRow kCopyNdRows[] = {
#if defined(__x86_64__)
    {"copy_nd_avx2", kCpuAvx2, copy_nd_avx2},
#elif defined(__aarch64__)
    {"copy_nd_neon", kCpuNeon, copy_nd_neon},
#endif
    {"copy_nd_ref", kCpuRef, copy_nd_ref},
};
const int kCopyNdRowCount = sizeof(kCopyNdRows) / sizeof(kCopyNdRows[0]);

}  // namespace hone
