#pragma once
#include <cstddef>
#include <cstdint>

#include "native/kernels/fc_f32/fc_f32.h"
#include "native/kernels/panel_blocks.h"

/// What the table and the instruction-set files of fc_f32 share. Symbol = file = table row; packing is the
/// table's.
namespace hone {

void fc_f32_ref(const FcF32Shape& shape, const FcF32Args& args, const Tile& tile);
void fc_f32_avx2(const FcF32Shape& shape, const FcF32Args& args, const Tile& tile);
void fc_f32_neon(const FcF32Shape& shape, const FcF32Args& args, const Tile& tile);

/// Outputs per block of the vector rows: eight vectors, one accumulator each, hide the latency of a
/// multiply-add.
inline constexpr int32_t kFcF32Avx2Block = 64;
inline constexpr int32_t kFcF32NeonBlock = 32;

/// Outputs of the last block are padded to a multiple of this, with 0. Packed form of a block of n outputs:
/// bias[n], weights[inputs][n].
inline constexpr int32_t kFcF32Pad = kPanelColumns;

/// Outputs that the block beginning at `first` holds in its packed form.
static inline int32_t fc_f32_padded_outputs(const FcF32Shape& shape, int32_t first, int32_t block) {
  const int32_t left = shape.outputs - first;
  return left >= block ? block : (left + kFcF32Pad - 1) / kFcF32Pad * kFcF32Pad;
}

}  // namespace hone
