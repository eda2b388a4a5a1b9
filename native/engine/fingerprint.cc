#include "native/engine/fingerprint.h"

#include <cstring>
#include <initializer_list>

#if defined(__x86_64__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace hone {
namespace {

constexpr uint64_t kPrime = (uint64_t{1} << 61) - 1;

/// Numbers that look random, one after the other (Steele and others, SplitMix64, OOPSLA 2014).
uint64_t draw(uint64_t* state) {
  uint64_t z = *state += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/// a * b modulo kPrime, of numbers below 2^62 and 2^61.
uint64_t multiply(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  const uint64_t folded = static_cast<uint64_t>(product & kPrime) + static_cast<uint64_t>(product >> 61);
  return folded >= kPrime ? folded - kPrime : folded;
}

constexpr size_t kPieceWords = Fingerprint::kPieceWords;

/// NH: words i and i + 4 of every eight are a pair, (word + key) * (word + key), so that lanes of vectors
/// need no shuffle. Every instruction set here is that of all processors of the architecture.
#if defined(__x86_64__)
uint64_t sum_products(const uint8_t* piece, const uint32_t* keys) {
  __m128i sum = _mm_setzero_si128();
  const auto load = [](const void* from) { return _mm_loadu_si128(static_cast<const __m128i*>(from)); };
  for (size_t at = 0; at < kPieceWords; at += 8) {
    const __m128i a = _mm_add_epi32(load(piece + at * 4), load(keys + at));
    const __m128i b = _mm_add_epi32(load(piece + at * 4 + 16), load(keys + at + 4));
    sum = _mm_add_epi64(sum, _mm_mul_epu32(a, b));
    sum = _mm_add_epi64(sum, _mm_mul_epu32(_mm_srli_epi64(a, 32), _mm_srli_epi64(b, 32)));
  }
  return static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_add_epi64(sum, _mm_unpackhi_epi64(sum, sum))));
}
#elif defined(__aarch64__)
uint64_t sum_products(const uint8_t* piece, const uint32_t* keys) {
  uint64x2_t low = vdupq_n_u64(0), high = vdupq_n_u64(0);
  for (size_t at = 0; at < kPieceWords; at += 8) {
    const uint32x4_t a = vaddq_u32(vreinterpretq_u32_u8(vld1q_u8(piece + at * 4)), vld1q_u32(keys + at));
    const uint32x4_t b =
        vaddq_u32(vreinterpretq_u32_u8(vld1q_u8(piece + at * 4 + 16)), vld1q_u32(keys + at + 4));
    low = vmlal_u32(low, vget_low_u32(a), vget_low_u32(b));
    high = vmlal_high_u32(high, a, b);
  }
  return vaddvq_u64(vaddq_u64(low, high));
}
#else
uint64_t sum_products(const uint8_t* piece, const uint32_t* keys) {
  uint64_t sum = 0;
  for (size_t at = 0; at < kPieceWords; at += 8) {
    uint32_t words[8];
    std::memcpy(words, piece + at * sizeof(uint32_t), sizeof(words));
    for (size_t i = 0; i < 4; ++i)
      sum += static_cast<uint64_t>(words[i] + keys[at + i]) *
             static_cast<uint32_t>(words[i + 4] + keys[at + i + 4]);
  }
  return sum;
}
#endif

}  // namespace

Fingerprint::Fingerprint(FingerprintSeed seed) {
  uint64_t low = seed.low, high = seed.high;
  for (uint32_t& key : keys_) key = static_cast<uint32_t>((draw(&low) ^ draw(&high)) >> 32);
  factor_ = (draw(&low) ^ draw(&high)) % kPrime;
}

void Fingerprint::take(uint64_t coefficient) {
  sum_ = multiply(sum_, factor_) + coefficient;
  if (sum_ >= kPrime) sum_ -= kPrime;
}

void Fingerprint::add_piece(const uint8_t* piece) {
  uint64_t sums[2];
  for (size_t k = 0; k < 2; ++k) sums[k] = sum_products(piece, keys_ + k * kKeyShift);
  for (const uint64_t sum : sums) {
    take(sum & 0xFFFFFFFFu);
    take(sum >> 32);
  }
}

void Fingerprint::add(const uint8_t* bytes, size_t size) {
  constexpr size_t kPieceBytes = kPieceWords * sizeof(uint32_t);
  size_t at = 0;
  for (; at + kPieceBytes <= size; at += kPieceBytes) add_piece(bytes + at);
  if (at < size) {
    uint8_t last[kPieceBytes] = {};
    std::memcpy(last, bytes + at, size - at);
    add_piece(last);
  }
  take(size & 0xFFFFFFFFu);
  take(size >> 32);
}

}  // namespace hone
