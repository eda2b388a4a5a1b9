#include "native/kernels/matmul_s8/matmul_s8_rows.h"

namespace hone {
namespace {

/// A panel, then rows.
[[maybe_unused]] size_t panel_scratch_bytes(const MatmulLayout& layout) {
  return sizeof(int16_t) * static_cast<size_t>(matmul_s8_depth(layout)) *
         static_cast<size_t>(kMatmulS8Panel + matmul_s8_rows_at_once(layout));
}

size_t no_scratch_bytes(const MatmulLayout&) { return 0; }

}  // namespace

const MatmulS8Row kMatmulS8Rows[] = {
#if defined(__x86_64__)
    {"matmul_s8_avx512vnni", kCpuAvx512Vnni, kMatmulS8Panel, panel_scratch_bytes, matmul_s8_avx512vnni},
    {"matmul_s8_avx2", kCpuAvx2, kMatmulS8Panel, panel_scratch_bytes, matmul_s8_avx2},
#elif defined(__aarch64__)
    {"matmul_s8_neon", kCpuNeon, kMatmulS8Panel, panel_scratch_bytes, matmul_s8_neon},
#endif
    {"matmul_s8_ref", kCpuRef, 1, no_scratch_bytes, matmul_s8_ref},
};
const int kMatmulS8RowCount = sizeof(kMatmulS8Rows) / sizeof(kMatmulS8Rows[0]);

}  // namespace hone
