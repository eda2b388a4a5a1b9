#pragma once
#include <cstddef>
#include <cstdint>

namespace hone {

/// IEEE CRC-32 (polynomial 0xEDB88320) of `size` bytes; `earlier` is the result over the bytes before them.
uint32_t crc32(const uint8_t* bytes, size_t size, uint32_t earlier = 0);

}  // namespace hone
