#pragma once
#include <cstdint>

namespace hone {

/// How a row orders its packed weights. Rows that write the same bytes for the same weights have the same
/// layout; whoever changes the bytes of one raises its version.
struct PackedLayout {
  const char* name;
  uint32_t version;
};

/// What a kernel must know of the weights in a packed block of int8 elements.
enum PackedTraits : uint32_t {
  kPackedShifted = 1,  ///< some zero point of the weights is not 0
  /// Products are added in 16 bits in pairs, and both weights of some pair are -128: with x = -128 their sum
  /// is 2^15. Any other pair fits: 128 * 128 + 127 * 128 < 2^15.
  kPackedWide = 2,
};

}  // namespace hone
