#pragma once
#include <cstddef>
#include <cstdint>

// The vector operations that the shared kernel bodies (`*_simd.h`) are written in, so that one algorithm
// serves AVX2 and NEON. Everything has internal linkage: a body is compiled once per instruction set, with
// that set's flags, and no copy may be merged with another. Each operation is one rounding; none is fused
// unless its name says so.
//
// Types: VecF, VecI (kLanes floats, int32), Bytes16 (16 int8), Wide (kWideBytes int8), F32x16 (16 floats).
#if defined(__AVX2__) && defined(__FMA__)
#include "native/kernels/simd_avx2.h"
#elif defined(__ARM_NEON)
#include "native/kernels/simd_neon.h"
#endif

namespace hone {
namespace {

/// Sixteen consecutive floats.
inline F32x16 load_f32x16(const float* p) {
  F32x16 r;
  for (int i = 0; i < kParts; i++) r.v[i] = load(p + i * kLanes);
  return r;
}

inline void store_f32x16(float* p, const F32x16& x) {
  for (int i = 0; i < kParts; i++) store(p + i * kLanes, x.v[i]);
}

/// First n of 16 floats (0 < n <= 16); the rest are 0.
inline F32x16 load_f32x16_first(const float* p, int n) {
  if (n == 16) return load_f32x16(p);
  F32x16 r;
  for (int i = 0; i < kParts; i++) {
    const int left = n - i * kLanes;
    r.v[i] = left >= kLanes ? load(p + i * kLanes)
             : left > 0     ? load_first(p + i * kLanes, left)
                            : splat(0.0f);
  }
  return r;
}

inline void store_f32x16_first(float* p, const F32x16& x, int n) {
  for (int i = 0; i < kParts; i++) {
    const int left = n - i * kLanes;
    if (left >= kLanes) {
      store(p + i * kLanes, x.v[i]);
    } else if (left > 0) {
      store_first(p + i * kLanes, x.v[i], left);
    }
  }
}

/// First n bytes (0 <= n <= 8) as the low bytes of a word; touches nothing behind them.
inline uint64_t load_word_first(const void* from, int n) {
  const uint8_t* p = static_cast<const uint8_t*>(from);
  if (n == 8) {
    uint64_t word;
    __builtin_memcpy(&word, p, 8);
    return word;
  }
  if (n >= 4) {
    uint32_t low, high;
    __builtin_memcpy(&low, p, 4);
    __builtin_memcpy(&high, p + n - 4, 4);
    return low | static_cast<uint64_t>(high) << (8 * (n - 4));
  }
  if (n == 0) return 0;
  return static_cast<uint64_t>(p[0]) | static_cast<uint64_t>(p[n / 2]) << (8 * (n / 2)) |
         static_cast<uint64_t>(p[n - 1]) << (8 * (n - 1));
}

inline void store_word_first(void* to, uint64_t word, int n) {
  uint8_t* p = static_cast<uint8_t*>(to);
  if (n == 8) {
    __builtin_memcpy(p, &word, 8);
  } else if (n >= 4) {
    const uint32_t low = static_cast<uint32_t>(word), high = static_cast<uint32_t>(word >> (8 * (n - 4)));
    __builtin_memcpy(p, &low, 4);
    __builtin_memcpy(p + n - 4, &high, 4);
  } else if (n > 0) {
    p[0] = static_cast<uint8_t>(word);
    p[n / 2] = static_cast<uint8_t>(word >> (8 * (n / 2)));
    p[n - 1] = static_cast<uint8_t>(word >> (8 * (n - 1)));
  }
}

/// First n of 16 bytes (0 < n <= 16); the rest are 0.
inline Bytes16 load_bytes_first(const void* from, int n) {
  if (n == 16) return load_bytes(from);
  if (n <= 8) return bytes_of(load_word_first(from, n), 0);
  return bytes_of(load_word_first(from, 8), load_word_first(static_cast<const uint8_t*>(from) + 8, n - 8));
}

inline void store_bytes_first(void* to, Bytes16 x, int n) {
  if (n == 16) return store_bytes(to, x);
  if (n <= 8) return store_word_first(to, low_word(x), n);
  store_word_first(to, low_word(x), 8);
  store_word_first(static_cast<uint8_t*>(to) + 8, high_word(x), n - 8);
}

}  // namespace
}  // namespace hone
