#pragma once
#include "native/kernels/gemm_pack.h"
#include "native/kernels/matmul_s8/matmul_s8.h"

/// What the table and the instruction-set files of matmul_s8 share. Symbol = file = table row.
namespace hone {

void matmul_s8_ref(const MatmulS8Args& args, const Tile& tile);
void matmul_s8_avx2(const MatmulS8Args& args, const Tile& tile);
void matmul_s8_avx512vnni(const MatmulS8Args& args, const Tile& tile);
void matmul_s8_neon(const MatmulS8Args& args, const Tile& tile);
void matmul_s8_neon_dotprod(const MatmulS8Args& args, const Tile& tile);
void matmul_s8_neon_i8mm(const MatmulS8Args& args, const Tile& tile);

/// Order of the columns of b for instruction sets that multiply bytes.
inline constexpr GemmFormat kMatmulS8NeonDotprodFormat = {16, 4, 1, 0};
inline constexpr GemmFormat kMatmulS8NeonI8mmFormat = {16, 8, 1, 0};

/// Columns of a panel of b that is packed: less their zero point, as int16, two steps in k together.
inline constexpr int32_t kMatmulS8Panel = 16;
/// Rows of a that share a packed panel, less their zero point, as int16: so many as fit into half of the
/// first cache.
inline constexpr int64_t kMatmulS8MostRows = 48, kMatmulS8LeastRows = 6;
inline constexpr int64_t kMatmulS8RowElements = 32768;

/// Steps in k, made even.
static inline int64_t matmul_s8_depth(const MatmulLayout& layout) { return (layout.inputs + 1) / 2 * 2; }

static inline int64_t matmul_s8_rows_at_once(const MatmulLayout& layout) {
  const int64_t rows = kMatmulS8RowElements / matmul_s8_depth(layout);
  return rows < kMatmulS8LeastRows ? kMatmulS8LeastRows : rows > kMatmulS8MostRows ? kMatmulS8MostRows : rows;
}

/// Steps in k, whole groups.
static inline int64_t matmul_s8_gemm_depth(const GemmFormat& format, const MatmulLayout& layout) {
  return (layout.inputs + format.k_group - 1) / format.k_group * format.k_group;
}

/// Bytes of 16 packed columns of b.
static inline size_t matmul_s8_gemm_block_bytes(const GemmFormat& format, const MatmulLayout& layout) {
  const auto depth = static_cast<size_t>(matmul_s8_gemm_depth(format, layout));
  return (gemm_head_bytes(format) + depth * static_cast<size_t>(format.block) + 63) / 64 * 64;
}

/// Rows of a that share packed columns.
static inline int64_t matmul_s8_gemm_rows(const MatmulLayout& layout) {
  return layout.rows < kMatmulS8MostRows ? layout.rows : kMatmulS8MostRows;
}

}  // namespace hone
