#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/weight_encoding.h"

namespace hone {

/// Weights as codes: `rows` of `row` codes of 4 or 8 bits. Two codes of 4 bits share a byte, the lower half
/// first; each row begins at a byte. The element of a code is
///   kNarrow    the code, int8
///   kScaled    fl((code - zero point) * scale) in float32, with the scale and zero point of its group of
///   neighbours in the row kCodebook  table[code], the code unsigned
/// Codes are signed (two's complement) but for the last. Scales lie row after row.
struct WeightCodes {
  WeightEncoding encoding;
  int32_t bits;
  int64_t row;
  int64_t group;  ///< codes of a group, of kScaled; the last group of a row may have fewer
  const uint8_t* codes;
  const void* table;          ///< scales of kScaled (float), entries of kCodebook (of the element type)
  const int8_t* zero_points;  ///< like the scales, or null when all are 0
};

static inline int64_t code_row_bytes(int32_t bits, int64_t row) {
  return bits == 4 ? row / 2 + row % 2 : row;
}
static inline int64_t code_groups(int64_t row, int64_t group) { return (row + group - 1) / group; }

/// Code k of a row whose first byte is `codes`, unsigned.
static inline uint32_t unsigned_code(const uint8_t* codes, int32_t bits, int64_t k) {
  if (bits == 8) return codes[k];
  return static_cast<uint32_t>(codes[k / 2] >> (k % 2 * 4)) & 15;
}
static inline int32_t signed_code(const uint8_t* codes, int32_t bits, int64_t k) {
  const int32_t code = static_cast<int32_t>(unsigned_code(codes, bits, k));
  const int32_t half = 1 << (bits - 1);
  return (code ^ half) - half;
}

/// Elements [first, first + count) of a row.
static inline void decode_row(const WeightCodes& weights, int64_t row, int64_t first, int64_t count,
                              int8_t* to) {
  const uint8_t* codes = weights.codes + row * code_row_bytes(weights.bits, weights.row);
  const int8_t* table = static_cast<const int8_t*>(weights.table);
  for (int64_t i = 0; i < count; i++) {
    to[i] = weights.encoding == WeightEncoding::kCodebook
                ? table[unsigned_code(codes, weights.bits, first + i)]
                : static_cast<int8_t>(signed_code(codes, weights.bits, first + i));
  }
}
static inline void decode_row(const WeightCodes& weights, int64_t row, int64_t first, int64_t count,
                              float* to) {
  const uint8_t* codes = weights.codes + row * code_row_bytes(weights.bits, weights.row);
  const float* table = static_cast<const float*>(weights.table);
  if (weights.encoding == WeightEncoding::kCodebook) {
    for (int64_t i = 0; i < count; i++) to[i] = table[unsigned_code(codes, weights.bits, first + i)];
    return;
  }
  // Whatever makes codes with scales gives them a group.
  const int64_t length = weights.group > 0 ? weights.group : weights.row;
  const int64_t groups = row * code_groups(weights.row, length);
  for (int64_t i = 0; i < count;) {
    const int64_t group = (first + i) / length;
    const int64_t left = (group + 1) * length - first;
    const int64_t end = left < count ? left : count;
    const float scale = table[groups + group];
    const int32_t zero_point = weights.zero_points == nullptr ? 0 : weights.zero_points[groups + group];
    for (; i < end; i++)
      to[i] = static_cast<float>(signed_code(codes, weights.bits, first + i) - zero_point) * scale;
  }
}

}  // namespace hone
