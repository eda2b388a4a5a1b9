#include "native/engine/crc32.h"

#include <array>
#include <cstring>

namespace hone {
namespace {

/// Of degree 32, the coefficient of 1 highest.
constexpr uint32_t kPolynomial = 0xEDB88320u;

using Tables = std::array<std::array<uint32_t, 256>, 8>;

/// Slicing by eight: table k moves a byte k further places along.
constexpr Tables make_tables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ kPolynomial : crc >> 1;
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < tables.size(); ++k)
    for (size_t byte = 0; byte < 256; ++byte)
      tables[k][byte] = tables[0][tables[k - 1][byte] & 255] ^ (tables[k - 1][byte] >> 8);
  return tables;
}

constexpr Tables kTables = make_tables();

/// The register after eight more bytes.
uint32_t step(uint32_t crc, const uint8_t* bytes) {
  uint32_t low, high;  // little-endian, like every machine that maps a plan
  std::memcpy(&low, bytes, 4);
  std::memcpy(&high, bytes + 4, 4);
  low ^= crc;
  return kTables[7][low & 255] ^ kTables[6][(low >> 8) & 255] ^ kTables[5][(low >> 16) & 255] ^
         kTables[4][low >> 24] ^ kTables[3][high & 255] ^ kTables[2][(high >> 8) & 255] ^
         kTables[1][(high >> 16) & 255] ^ kTables[0][high >> 24];
}

/// Product of two polynomials modulo that of the CRC; the highest bit is the coefficient of 1.
uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (; a != 0; a <<= 1, b = (b & 1) != 0 ? (b >> 1) ^ kPolynomial : b >> 1)
    if ((a & 0x80000000u) != 0) product ^= b;
  return product;
}

/// What a register is multiplied by while `size` bytes of zeros pass: x to the power of 8 size.
uint32_t zeros(size_t size) {
  uint32_t power = uint32_t{1} << 31;
  for (uint32_t square = uint32_t{1} << 23; size > 0; size >>= 1, square = multiply(square, square))
    if ((size & 1) != 0) power = multiply(power, square);
  return power;
}

}  // namespace

uint32_t crc32(const uint8_t* bytes, size_t size, uint32_t earlier) {
  uint32_t crc = ~earlier;
  // Four stretches at a time: one after the other every step would wait for the tables of the step before.
  constexpr size_t kStretches = 4, kWorthwhile = 4096;
  if (size >= kWorthwhile) {
    const size_t length = size / kStretches / 8 * 8;
    uint32_t registers[kStretches] = {crc};
    for (size_t at = 0; at < length; at += 8)
      for (size_t k = 0; k < kStretches; ++k) registers[k] = step(registers[k], bytes + k * length + at);
    const uint32_t further = zeros(length);
    crc = registers[0];
    for (size_t k = 1; k < kStretches; ++k) crc = multiply(crc, further) ^ registers[k];
    bytes += kStretches * length;
    size -= kStretches * length;
  }
  for (; size >= 8; bytes += 8, size -= 8) crc = step(crc, bytes);
  for (; size > 0; ++bytes, --size) crc = kTables[0][(crc ^ *bytes) & 255] ^ (crc >> 8);
  return ~crc;
}

}  // namespace hone
