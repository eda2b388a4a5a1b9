#pragma once
// AVX-512 for a compiler target without it: SIMDe (Debian: libsimde-dev) under the vendor's names, the
// intrinsics that its version 0.7.4 lacks, and vpdpbusd, whose general form there doubles the time to
// compile. For tests only; x86_intrinsics.h includes it.
#ifdef __AVX512F__
#error "HONE_SIMDE emulates AVX-512: compile without -mavx512*"
#endif
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

#include <cstdint>

namespace hone {
namespace {
namespace simde {

/// Bytes of 512 bits that can be addressed.
union Bytes {
  __m512i vector;
  __m256i half[2];
  uint8_t at[64];
};

/// Bytes whose bit is not set are not touched.
inline void mask_store(void* to, uint64_t mask, const uint8_t* from, int count) {
  for (int i = 0; i < count; i++) {
    if ((mask >> i & 1) != 0) static_cast<uint8_t*>(to)[i] = from[i];
  }
}

inline void mask_storeu(void* to, uint64_t mask, __m512i vector) {
  Bytes bytes;
  bytes.vector = vector;
  mask_store(to, mask, bytes.at, 64);
}

inline void mask_storeu(void* to, uint64_t mask, __m256i vector) {
  Bytes bytes;
  bytes.half[0] = vector;
  mask_store(to, mask, bytes.at, 32);
}

inline void mask_storeu(void* to, uint64_t mask, __m128i vector) {
  mask_storeu(to, mask & 0xFFFF, _mm256_castsi128_si256(vector));
}

/// Bytes whose bit is not set are not touched, and 0.
inline __m512i maskz_loadu(uint64_t mask, const void* from, int count) {
  Bytes bytes = {_mm512_setzero_si512()};
  for (int i = 0; i < count; i++) {
    if ((mask >> i & 1) != 0) bytes.at[i] = static_cast<const uint8_t*>(from)[i];
  }
  return bytes.vector;
}

/// Floats of 512 bits by halves.
union Floats {
  __m512 vector;
  __m256 half[2];
};

inline __m512 to_float(__m512i x) {
  Bytes bytes;
  bytes.vector = x;
  Floats floats;
  for (int i = 0; i < 2; i++) floats.half[i] = _mm256_cvtepi32_ps(bytes.half[i]);
  return floats.vector;
}

/// Rounds by the current mode.
inline __m512i to_int(__m512 x) {
  Floats floats;
  floats.vector = x;
  Bytes bytes;
  for (int i = 0; i < 2; i++) bytes.half[i] = _mm256_cvtps_epi32(floats.half[i]);
  return bytes.vector;
}

/// 16 int8 to int32.
inline __m512i widen(__m128i x) {
  Bytes bytes;
  bytes.half[0] = _mm256_cvtepi8_epi32(x);
  bytes.half[1] = _mm256_cvtepi8_epi32(_mm_unpackhi_epi64(x, x));
  return bytes.vector;
}

/// 16 int16 to int32.
inline __m512i widen(__m256i x) {
  Bytes bytes;
  bytes.half[0] = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(x));
  bytes.half[1] = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(x, 1));
  return bytes.vector;
}

/// 32 bytes to 16 bits.
inline __m512i widen_bytes(__m256i x) {
  Bytes bytes;
  bytes.half[0] = _mm256_cvtepu8_epi16(_mm256_castsi256_si128(x));
  bytes.half[1] = _mm256_cvtepu8_epi16(_mm256_extracti128_si256(x, 1));
  return bytes.vector;
}

/// 16 words to 32 bits.
inline __m512i widen_words(__m256i x) {
  Bytes bytes;
  bytes.half[0] = _mm256_cvtepu16_epi32(_mm256_castsi256_si128(x));
  bytes.half[1] = _mm256_cvtepu16_epi32(_mm256_extracti128_si256(x, 1));
  return bytes.vector;
}

/// Sums of four products u8 x s8 on top of src: exact, for each pair of products is summed in int32.
inline __m256i dot4(__m256i src, __m256i a, __m256i b) {
  const __m256i low = _mm256_set1_epi16(0xFF);
  const __m256i even =
      _mm256_madd_epi16(_mm256_and_si256(a, low), _mm256_srai_epi16(_mm256_slli_epi16(b, 8), 8));
  const __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(a, 8), _mm256_srai_epi16(b, 8));
  return _mm256_add_epi32(src, _mm256_add_epi32(even, odd));
}

inline __m512i dot4(__m512i src, __m512i a, __m512i b) {
  Bytes sum = {src}, left = {a}, right = {b};
  for (int i = 0; i < 2; i++) sum.half[i] = dot4(sum.half[i], left.half[i], right.half[i]);
  return sum.vector;
}

}  // namespace simde
}  // namespace
}  // namespace hone

#define _mm_mask_storeu_epi8 hone::simde::mask_storeu
#define _mm256_mask_storeu_epi8 hone::simde::mask_storeu
#define _mm512_mask_storeu_epi8 hone::simde::mask_storeu
#define _mm_maskz_loadu_epi8(mask, from) _mm512_castsi512_si128(hone::simde::maskz_loadu(mask, from, 16))
#define _mm512_maskz_loadu_epi8(mask, from) hone::simde::maskz_loadu(mask, from, 64)
#define _mm512_cvtepi32_ps hone::simde::to_float
#define _mm512_cvtps_epi32 hone::simde::to_int
#define _mm512_cvtepi8_epi32 hone::simde::widen
#define _mm512_cvtepi16_epi32 hone::simde::widen
#define _mm512_cvtepu8_epi16 hone::simde::widen_bytes
#define _mm512_cvtepu16_epi32 hone::simde::widen_words
#undef _mm512_dpbusd_epi32
#define _mm512_dpbusd_epi32 hone::simde::dot4
