#pragma once
#include <cstddef>
#include <cstdint>

namespace hone {

/// What a fingerprint depends on besides the bytes. Whoever does not know it cannot make two files of one
/// fingerprint but by chance.
struct FingerprintSeed {
  uint64_t low, high;
};

/// A hash of bytes that is as quick as memory: pieces of 1 KiB by NH (Black and others, UMAC, CRYPTO 1999,
/// section 4.2), twice with keys moved by a pair, and their sums as coefficients of a polynomial modulo
/// 2^61 - 1 (Carter and Wegman 1979). For two inputs that do not depend on the seed the chance of one hash is
/// about (bytes / 256 + 1) / 2^61.
class Fingerprint {
 public:
  explicit Fingerprint(FingerprintSeed seed);
  /// Takes in bytes. Every piece begins a new KiB: all who compare must cut alike.
  void add(const uint8_t* bytes, size_t size);
  /// Below 2^61.
  uint64_t finish() const { return sum_; }

  static constexpr size_t kPieceWords = 256;  ///< of 32 bits

 private:
  static constexpr size_t kKeyShift = 4;  ///< of the second NH

  void add_piece(const uint8_t* piece);
  void take(uint64_t coefficient);

  uint32_t keys_[kPieceWords + kKeyShift];
  uint64_t factor_;
  uint64_t sum_ = 1;
};

}  // namespace hone
