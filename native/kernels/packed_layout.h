#pragma once
#include <cstdint>

namespace hone {

/// How a row orders its packed weights. Rows that write the same bytes for the same weights have the same
/// layout; whoever changes the bytes of one raises its version.
struct PackedLayout {
  const char* name;
  uint32_t version;
};

}  // namespace hone
