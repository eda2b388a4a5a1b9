#pragma once
#include <cstddef>
#include <cstdint>

#include "native/kernels/fc_coded_s8/fc_coded_s8.h"

/// What the table and the instruction-set files of fc_coded_s8 share. Symbol = file = table row; packing is
/// the table's.
namespace hone {

void fc_coded_s8_ref(const FcCodedS8Shape& shape, const FcCodedS8Args& args, const Tile& tile);
void fc_coded_s8_avx2(const FcCodedS8Shape& shape, const FcCodedS8Args& args, const Tile& tile);
void fc_coded_s8_avx512vnni(const FcCodedS8Shape& shape, const FcCodedS8Args& args, const Tile& tile);
void fc_coded_s8_neon(const FcCodedS8Shape& shape, const FcCodedS8Args& args, const Tile& tile);
void fc_coded_s8_neon_dotprod(const FcCodedS8Shape& shape, const FcCodedS8Args& args, const Tile& tile);

/// Packed form of the vector rows: the 16 elements that codes stand for, in 64 bytes; then blocks of 16
/// outputs: bias, multipliers, codes. Weights lie as [inputs / k_group][16][k_group], a code each, and
/// `vector` neighbours share bytes with the next `vector`, which have the upper halves. The bias contains
/// -(x_zero_point + x_offset) * sum(w).
struct CodedFormat {
  int32_t k_group, vector, x_offset;
};
inline constexpr CodedFormat kFcCodedAvx2Format = {2, 16, 0};
inline constexpr CodedFormat kFcCodedAvx512VnniFormat = {4, 64, 128};
inline constexpr CodedFormat kFcCodedNeonFormat = {1, 16, 0};
inline constexpr CodedFormat kFcCodedNeonDotprodFormat = {4, 16, 0};

inline constexpr int32_t kCodedOutputs = 16;
inline constexpr size_t kCodedTableBytes = 64, kCodedHeadBytes = 128;

/// Bytes of codes in a block: of `vector` bytes as many as it takes.
static inline int64_t coded_pairs(const CodedFormat& format, int32_t inputs) {
  const int64_t groups = (int64_t{inputs} + format.k_group - 1) / format.k_group;
  const int64_t pair = 2 * format.vector;
  return (groups * format.k_group * kCodedOutputs + pair - 1) / pair;
}
static inline size_t coded_block_bytes(const CodedFormat& format, int32_t inputs) {
  return kCodedHeadBytes + static_cast<size_t>(coded_pairs(format, inputs) * format.vector);
}
/// Inputs that a block has codes for, those that are not there included.
static inline int64_t coded_depth(const CodedFormat& format, int32_t inputs) {
  return coded_pairs(format, inputs) * 2 * format.vector / kCodedOutputs;
}

/// Rows that are multiplied at a time.
inline constexpr int32_t kCodedRows = 4;
/// Elements from one row of x to the next in scratch.
static inline int64_t coded_scratch_stride(const CodedFormat& format, int32_t inputs) {
  return (coded_depth(format, inputs) + 63) / 64 * 64;
}

}  // namespace hone
