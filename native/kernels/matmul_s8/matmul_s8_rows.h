#pragma once
#include "native/kernels/matmul_s8/matmul_s8.h"

/// What the table and the instruction-set files of matmul_s8 share. Symbol = file = table row.
namespace hone {

void matmul_s8_ref(const MatmulS8Args& args, const Tile& tile);
void matmul_s8_avx2(const MatmulS8Args& args, const Tile& tile);
void matmul_s8_avx512vnni(const MatmulS8Args& args, const Tile& tile);
void matmul_s8_neon(const MatmulS8Args& args, const Tile& tile);

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

}  // namespace hone
