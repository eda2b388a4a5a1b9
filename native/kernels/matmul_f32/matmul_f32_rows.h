#pragma once
#include "native/kernels/matmul_f32/matmul_f32.h"
#include "native/kernels/panel_blocks.h"

/// What the table and the instruction-set files of matmul_f32 share. Symbol = file = table row.
namespace hone {

void matmul_f32_ref(const MatmulF32Args& args, const Tile& tile);
void matmul_f32_avx2(const MatmulF32Args& args, const Tile& tile);
void matmul_f32_neon(const MatmulF32Args& args, const Tile& tile);

/// Steps in k between which sums lie in y: a packed panel of them stays in the first cache.
inline constexpr int64_t kMatmulF32Depth = 256;

}  // namespace hone
