#include "native/kernels/matmul_f32/matmul_f32_rows.h"

namespace hone {

namespace {

[[maybe_unused]] size_t block_scratch_bytes(const MatmulLayout&) {
  return sizeof(float) * kPanelBlock * kMatmulF32Depth;
}

size_t no_scratch_bytes(const MatmulLayout&) { return 0; }

}  // namespace

const MatmulF32Row kMatmulF32Rows[] = {
#if defined(__x86_64__)
    {"matmul_f32_avx2", kCpuAvx2 | kCpuFma, kPanelBlock, block_scratch_bytes, matmul_f32_avx2},
#elif defined(__aarch64__)
    {"matmul_f32_neon", kCpuNeon, kPanelBlock, block_scratch_bytes, matmul_f32_neon},
#endif
    {"matmul_f32_ref", kCpuRef, 1, no_scratch_bytes, matmul_f32_ref},
};
const int kMatmulF32RowCount = sizeof(kMatmulF32Rows) / sizeof(kMatmulF32Rows[0]);

}  // namespace hone
