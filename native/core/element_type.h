#pragma once
#include <cstdint>

namespace hone {

/// Type of the elements of a tensor; the number is that of plan files.
enum class ElementType : uint8_t {
  kFloat32 = 0,
  kInt8 = 1,
  kUint8 = 2,
  kInt32 = 3,
  kInt64 = 4,
  kBool = 5,     ///< one byte, 0 or 1; what comes from outside may have other bytes for 1
  kFloat16 = 6,  ///< IEEE 754 binary16, on its way in or out
};
inline constexpr uint32_t kElementTypeCount = 7;

/// Bytes of one element.
constexpr int32_t element_bytes(ElementType type) {
  switch (type) {
    case ElementType::kInt64:
      return 8;
    case ElementType::kFloat32:
    case ElementType::kInt32:
      return 4;
    case ElementType::kFloat16:
      return 2;
    case ElementType::kInt8:
    case ElementType::kUint8:
    case ElementType::kBool:
      break;
  }
  return 1;
}

}  // namespace hone
