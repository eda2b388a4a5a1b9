#pragma once
#include <cstdint>

#include "native/kernels/weight_codes.h"
#include "native/tools/check_kernels/workbench.h"

namespace hone::check {

/// Random codes with their table: small integers with scales of groups (some with zero points), or a codebook
/// where `group` is 0. Elements are floats, or int8, whose small integers have no table.
inline WeightCodes make_codes(Workbench& bench, int64_t rows, int64_t row, int32_t bits, int64_t group,
                              bool floats) {
  const size_t bytes = static_cast<size_t>(rows * code_row_bytes(bits, row));
  uint8_t* codes = bench.input<uint8_t>(bytes);
  bench.fill_bytes(codes, bytes);
  WeightCodes made = {WeightEncoding::kCodebook, bits, row, group, codes, nullptr, nullptr};
  size_t entries = size_t{1} << bits;
  if (group != 0) {
    made.encoding = floats ? WeightEncoding::kScaled : WeightEncoding::kNarrow;
    entries = floats ? static_cast<size_t>(rows * code_groups(row, group)) : 0;
  }
  if (floats) {
    float* table = bench.input<float>(entries);
    bench.fill_floats(table, entries, 0.3f);
    made.table = table;
  } else if (entries > 0) {
    int8_t* table = bench.input<int8_t>(entries);
    bench.fill_bytes(table, entries);
    made.table = table;
  }
  if (made.encoding == WeightEncoding::kScaled && bench.rng().chance(0.5)) {
    int8_t* zero_points = bench.input<int8_t>(entries);
    bench.fill_bytes(zero_points, entries);
    made.zero_points = zero_points;
  }
  return made;
}

}  // namespace hone::check
