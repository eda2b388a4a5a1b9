#pragma once
#include <cstddef>
#include <cstdint>

#include "native/kernels/dwconv_s8/dwconv_s8.h"

/// What the table and the instruction-set files of dwconv_s8 share; see conv_s8_rows.h.
namespace hone {

void dwconv_s8_ref(const DwconvS8Shape& shape, const DwconvS8Args& args, const Tile& tile);
void dwconv_s8_avx2(const DwconvS8Shape& shape, const DwconvS8Args& args, const Tile& tile);
void dwconv_s8_avx512vnni(const DwconvS8Shape& shape, const DwconvS8Args& args, const Tile& tile);
void dwconv_s8_neon(const DwconvS8Shape& shape, const DwconvS8Args& args, const Tile& tile);
void dwconv_s8_neon_dotprod(const DwconvS8Shape& shape, const DwconvS8Args& args, const Tile& tile);
void dwconv_s8_neon_i8mm(const DwconvS8Shape& shape, const DwconvS8Args& args, const Tile& tile);

/// Order in which a depthwise kernel reads its weights. Packed form, one block of channels after the other,
/// 64-byte aligned:
///   int32 bias[block], float multiplier[block], head of int8 elements, element
///   weights[kernel_w][ceil(kernel_h / taps)][block][taps]
/// where `taps` vertical neighbours lie together (zero beyond kernel_h). Zero points are treated as in
/// GemmFormat; the head is
///   int16 zero_point_left[block], uint16 traits[block]
/// and kPackedWide, which only rows with taps = 1 need, says that some channel has two weights of -128.
struct DwconvFormat {
  int32_t block;
  int32_t taps;
  int32_t element_bytes;  ///< 1: int8; 2: int16
  int32_t x_offset;
  /// Channels of a block in the order in which unpacklo/unpackhi of 64-byte vectors leave them: position 16 j
  /// + l holds channel 16 (l / 4) + 4 j + l % 4. Also for bias and multiplier.
  bool unpacked_order;
  /// Where a whole number of times `channels` fills a block, positions beyond channels repeat them: a kernel
  /// may then treat neighbouring pixels as one vector.
  bool repeated;
};

inline constexpr DwconvFormat kDwconvS8Avx2Format = {16, 2, 2, 0, false, true};
inline constexpr DwconvFormat kDwconvS8Avx512VnniFormat = {64, 4, 1, 128, true, true};
inline constexpr DwconvFormat kDwconvS8NeonFormat = {16, 1, 1, 0, false, false};
inline constexpr DwconvFormat kDwconvS8NeonDotprodFormat = {16, 4, 1, 0, false, false};

/// Bytes before the weights of a packed block.
static inline size_t dwconv_head_bytes(const DwconvFormat& format) {
  return static_cast<size_t>(format.block) * (format.element_bytes == 1 ? 12 : 8);
}

/// Bytes from one packed block to the next.
static inline size_t dwconv_block_bytes(const DwconvFormat& format, const WindowShape& window) {
  const size_t groups =
      static_cast<size_t>((window.kernel_h + format.taps - 1) / format.taps) * window.kernel_w;
  const size_t elements = static_cast<size_t>(format.block) * groups * format.taps;
  const size_t bytes = dwconv_head_bytes(format) + elements * format.element_bytes;
  return (bytes + 63) / 64 * 64;
}

}  // namespace hone
