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
/// GemmFormat, but for rows that have a second place (dwconv_second_place): there a channel's w -
/// w_zero_point is the sum of two elements, and zero_point_left belongs to sums over the other rows. The head
/// is
///   int16 zero_point_left[block], uint16 traits[block]
/// and kPackedWide says of a block
///   with taps = 1: some channel has two weights of -128;
///   with taps = 4: some zero_point_left is -128; no row has a second place then, because two int8 do not
///   hold 255.
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

/// Where the weight of a kernel row goes on among the places that its column has beyond kernel_h, or -1.
/// Kernels of four taps read rows again there, as their instructions give them at no cost: of a last group a
/// b c the fourth is c, of a b the others are a b, and of a alone a and the first two rows of the group
/// before.
static inline int32_t dwconv_second_place(const DwconvFormat& format, int32_t kernel_h, int32_t row) {
  if (format.taps != 4) return -1;
  const int32_t from_end = kernel_h - row;
  switch (kernel_h % 4) {
    case 1:
      return from_end == 1 ? kernel_h : from_end == 5 || from_end == 4 ? row + 6 : -1;
    case 2:
      return from_end <= 2 ? row + 2 : -1;
    case 3:
      return from_end == 1 ? kernel_h : -1;
    default:
      return -1;
  }
}

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
