#pragma once
#include <cstdint>

#include "native/core/element_type.h"

namespace hone {
namespace {

/// A half-precision number: bits, so that nobody computes with them by mistake.
enum class Half : uint16_t {};
/// A byte of truth: what is not 0 is true.
enum class Truth : uint8_t {};

/// Calls body(T{}) with the C++ type of `type`.
template <typename Body>
inline void with_type(ElementType type, const Body& body) {
  switch (type) {
    case ElementType::kFloat32:
      return body(float{});
    case ElementType::kInt8:
      return body(int8_t{});
    case ElementType::kUint8:
      return body(uint8_t{});
    case ElementType::kInt32:
      return body(int32_t{});
    case ElementType::kInt64:
      return body(int64_t{});
    case ElementType::kBool:
      return body(Truth{});
    case ElementType::kFloat16:
      return body(Half{});
  }
}

/// Calls body(T{}) with an unsigned integer of so many bytes.
template <typename Body>
inline void with_bytes(int32_t element_bytes, const Body& body) {
  switch (element_bytes) {
    case 1:
      return body(uint8_t{});
    case 2:
      return body(uint16_t{});
    case 4:
      return body(uint32_t{});
    default:
      return body(uint64_t{});
  }
}

}  // namespace
}  // namespace hone
