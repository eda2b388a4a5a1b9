#include "native/kernels/matmul_s8/matmul_s8_rows.h"

namespace hone {
namespace {

/// A panel, then rows.
[[maybe_unused]] size_t panel_scratch_bytes(const MatmulLayout& layout) {
  return sizeof(int16_t) * static_cast<size_t>(matmul_s8_depth(layout)) *
         static_cast<size_t>(kMatmulS8Panel + matmul_s8_rows_at_once(layout));
}

/// Packed columns, then rows. Tiles load whole vectors.
template <const GemmFormat& kFormat>
[[maybe_unused]] size_t gemm_scratch_bytes(const MatmulLayout& layout) {
  return matmul_s8_gemm_block_bytes(kFormat, layout) +
         static_cast<size_t>(matmul_s8_gemm_rows(layout) * matmul_s8_gemm_depth(kFormat, layout));
}

size_t no_scratch_bytes(const MatmulLayout&) { return 0; }

}  // namespace

const MatmulS8Row kMatmulS8Rows[] = {
#if defined(__x86_64__)
    {"matmul_s8_avx512vnni", kCpuAvx512Vnni, kMatmulS8Panel, panel_scratch_bytes, matmul_s8_avx512vnni},
    {"matmul_s8_avx2", kCpuAvx2, kMatmulS8Panel, panel_scratch_bytes, matmul_s8_avx2},
#elif defined(__aarch64__)
    {"matmul_s8_neon_i8mm", kCpuNeonI8mm, kMatmulS8Panel, gemm_scratch_bytes<kMatmulS8NeonI8mmFormat>,
     matmul_s8_neon_i8mm},
    {"matmul_s8_neon_dotprod", kCpuNeonDotprod, kMatmulS8Panel,
     gemm_scratch_bytes<kMatmulS8NeonDotprodFormat>, matmul_s8_neon_dotprod},
    {"matmul_s8_neon", kCpuNeon, kMatmulS8Panel, panel_scratch_bytes, matmul_s8_neon},
#endif
    {"matmul_s8_ref", kCpuRef, 1, no_scratch_bytes, matmul_s8_ref},
};
const int kMatmulS8RowCount = sizeof(kMatmulS8Rows) / sizeof(kMatmulS8Rows[0]);

}  // namespace hone
