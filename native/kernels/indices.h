#pragma once
#include <cstdint>

#include "native/core/element_type.h"

namespace hone {
namespace {

/// Index number `i` of a list of int32 or int64.
inline int64_t read_index(const void* indices, ElementType type, int64_t i) {
  return type == ElementType::kInt64 ? static_cast<const int64_t*>(indices)[i]
                                     : static_cast<const int32_t*>(indices)[i];
}

/// The place among `length` that an index means, negative ones counted from the end; -1 for one beyond both
/// ends, which *out_of_range remembers.
inline int64_t find_place(int64_t index, int64_t length, uint32_t* out_of_range) {
  if (index >= 0 && index < length) return index;
  if (index < 0 && index >= -length) return index + length;
  __atomic_store_n(out_of_range, 1u, __ATOMIC_RELAXED);
  return -1;
}

/// The same with the nearest place for one beyond both ends.
inline int64_t find_nearest_place(int64_t index, int64_t length, uint32_t* out_of_range) {
  const int64_t place = find_place(index, length, out_of_range);
  return place >= 0 ? place : index < 0 ? 0 : length - 1;
}

}  // namespace
}  // namespace hone
