#include "native/engine/crc32.h"

#include <array>
#include <cstring>

namespace hone {
namespace {

using Tables = std::array<std::array<uint32_t, 256>, 8>;

/// Slicing by eight: table k moves a byte k further places along.
constexpr Tables make_tables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320u : crc >> 1;
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < tables.size(); ++k)
    for (size_t byte = 0; byte < 256; ++byte)
      tables[k][byte] = tables[0][tables[k - 1][byte] & 255] ^ (tables[k - 1][byte] >> 8);
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

uint32_t crc32(const uint8_t* bytes, size_t size, uint32_t earlier) {
  uint32_t crc = ~earlier;
  for (; size >= 8; bytes += 8, size -= 8) {
    uint32_t low, high;  // little-endian, like every machine that maps a plan
    std::memcpy(&low, bytes, 4);
    std::memcpy(&high, bytes + 4, 4);
    low ^= crc;
    crc = kTables[7][low & 255] ^ kTables[6][(low >> 8) & 255] ^ kTables[5][(low >> 16) & 255] ^
          kTables[4][low >> 24] ^ kTables[3][high & 255] ^ kTables[2][(high >> 8) & 255] ^
          kTables[1][(high >> 16) & 255] ^ kTables[0][high >> 24];
  }
  for (; size > 0; ++bytes, --size) crc = kTables[0][(crc ^ *bytes) & 255] ^ (crc >> 8);
  return ~crc;
}

}  // namespace hone
