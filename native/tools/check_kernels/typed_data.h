#pragma once
#include <cstring>

#include "native/core/element_type.h"
#include "native/tools/check_kernels/workbench.h"

/// Operands whose element type is known only when the check runs.
namespace hone::check {

inline constexpr ElementType kElementTypes[] = {
    ElementType::kFloat32, ElementType::kInt8, ElementType::kUint8,  ElementType::kInt32,
    ElementType::kInt64,   ElementType::kBool, ElementType::kFloat16};

/// Memory for elements of so many bytes, aligned to them and no more.
inline void* input_of(Workbench& bench, int32_t bytes, size_t count) {
  return bytes == 1   ? static_cast<void*>(bench.input<uint8_t>(count))
         : bytes == 2 ? static_cast<void*>(bench.input<uint16_t>(count))
         : bytes == 4 ? static_cast<void*>(bench.input<uint32_t>(count))
                      : static_cast<void*>(bench.input<uint64_t>(count));
}
inline void* output_of(Workbench& bench, int32_t bytes, size_t count) {
  return bytes == 1   ? static_cast<void*>(bench.output<uint8_t>(count))
         : bytes == 2 ? static_cast<void*>(bench.output<uint16_t>(count))
         : bytes == 4 ? static_cast<void*>(bench.output<uint32_t>(count))
                      : static_cast<void*>(bench.output<uint64_t>(count));
}

/// Numbers of a type: small ones mostly, so that equal ones meet, and all bit patterns of integers.
inline void fill_numbers(Workbench& bench, ElementType type, void* to, size_t count) {
  Rng& rng = bench.rng();
  const auto size = static_cast<size_t>(element_bytes(type));
  if (type == ElementType::kFloat32) {
    float* floats = static_cast<float*>(to);
    bench.fill_floats(floats, count);
    for (size_t i = 0; i < count; i++)
      if (rng.chance(0.5)) floats[i] = static_cast<float>(rng.between(-3, 3));
    return;
  }
  for (size_t i = 0; i < count; i++) {
    const int64_t value = rng.chance(0.6) ? rng.between(-4, 4) : static_cast<int64_t>(rng.next());
    std::memcpy(static_cast<uint8_t*>(to) + i * size, &value, size);
  }
}

/// The integer at `index`; bool as 0 or 1.
inline int64_t read_integer(const void* from, ElementType type, int64_t index) {
  switch (type) {
    case ElementType::kInt64:
      return static_cast<const int64_t*>(from)[index];
    case ElementType::kInt32:
      return static_cast<const int32_t*>(from)[index];
    case ElementType::kInt8:
      return static_cast<const int8_t*>(from)[index];
    case ElementType::kUint8:
      return static_cast<const uint8_t*>(from)[index];
    default:
      return static_cast<const uint8_t*>(from)[index] != 0;
  }
}

/// A list of indices into `length`, some of them beyond it.
inline void* fill_indices(Workbench& bench, ElementType type, int64_t length, size_t count) {
  Rng& rng = bench.rng();
  void* indices = input_of(bench, element_bytes(type), count);
  for (size_t i = 0; i < count; i++) {
    const int64_t index =
        rng.chance(0.9) ? rng.between(-length, length - 1) : rng.between(-3 * length, 3 * length);
    std::memcpy(static_cast<uint8_t*>(indices) + i * static_cast<size_t>(element_bytes(type)), &index,
                static_cast<size_t>(element_bytes(type)));
  }
  return indices;
}

/// The word that kernels set when an index lies beyond both ends: 0 before every run.
inline uint32_t* flag_of(Workbench& bench) {
  uint32_t* flag = bench.output<uint32_t>(1);
  *flag = 0;
  return flag;
}

/// Row-major strides of extents.
inline void fill_row_major(const int64_t* extents, int rank, int64_t* strides) {
  int64_t stride = 1;
  for (int d = rank - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= extents[d];
  }
}

/// Where an index stands: from the end when negative, then the nearest place (`clamp`) or -1.
inline int64_t expected_place(int64_t index, int64_t length, bool clamp) {
  const int64_t place = index < 0 ? index + length : index;
  if (place >= 0 && place < length) return place;
  return !clamp ? -1 : place < 0 ? 0 : length - 1;
}

}  // namespace hone::check
