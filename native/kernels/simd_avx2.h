#pragma once
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "native/core/requantize.h"

// AVX2 + FMA half of simd.h; include that.
namespace hone {
namespace {

using VecF = __m256;
using VecI = __m256i;
using Bytes16 = __m128i;
using Wide = __m256i;
constexpr int kLanes = 8;
constexpr int kParts = 16 / kLanes;
constexpr int kWideBytes = 32;

struct F32x16 {
  VecF v[kParts];
};

// --- float32

inline VecF splat(float x) { return _mm256_set1_ps(x); }
inline VecI splat_int(int32_t x) { return _mm256_set1_epi32(x); }
inline VecF load(const float* p) { return _mm256_loadu_ps(p); }
inline void store(float* p, VecF x) { _mm256_storeu_ps(p, x); }
inline VecF add(VecF a, VecF b) { return _mm256_add_ps(a, b); }
inline VecF subtract(VecF a, VecF b) { return _mm256_sub_ps(a, b); }
inline VecF multiply(VecF a, VecF b) { return _mm256_mul_ps(a, b); }
inline VecF divide(VecF a, VecF b) { return _mm256_div_ps(a, b); }
/// a * b + c with one rounding.
inline VecF fused_multiply_add(VecF a, VecF b, VecF c) { return _mm256_fmadd_ps(a, b, c); }

/// Per lane: x > m ? x : m. A NaN in x is skipped.
inline VecF greater_or(VecF x, VecF m) { return _mm256_max_ps(x, m); }
/// Per lane, as extremes.h defines it. vmaxps gives its second operand for two zeros and for a NaN: of both
/// ways round, the zeros meet in their signs, and where operands cannot be compared all bits are set.
inline VecF maximum(VecF a, VecF b) {
  const VecF larger = _mm256_and_ps(_mm256_max_ps(a, b), _mm256_max_ps(b, a));
  return _mm256_or_ps(larger, _mm256_cmp_ps(a, b, _CMP_UNORD_Q));
}
inline VecF minimum(VecF a, VecF b) { return _mm256_or_ps(_mm256_min_ps(a, b), _mm256_min_ps(b, a)); }
/// Per lane: max(min(x, hi), lo), a NaN kept. vminps and vmaxps return their second operand when they cannot
/// compare.
inline VecF clamp_keep_nan(VecF x, VecF lo, VecF hi) { return _mm256_max_ps(lo, _mm256_min_ps(hi, x)); }
/// Per lane: min(max(x, lo), hi), a NaN becomes lo.
inline VecF clamp_nan_to_lo(VecF x, VecF lo, VecF hi) { return _mm256_min_ps(_mm256_max_ps(x, lo), hi); }
/// Per lane: x < limit ? 0 : value.
inline VecF zero_below(VecF x, VecF limit, VecF value) {
  return _mm256_andnot_ps(_mm256_cmp_ps(x, limit, _CMP_LT_OQ), value);
}
/// 2^n from float bits whose lowest bits hold the integer n (see exp_f32.h).
inline VecF power_of_two(VecF shifted) {
  return _mm256_castsi256_ps(
      _mm256_add_epi32(_mm256_slli_epi32(_mm256_castps_si256(shifted), 23), _mm256_set1_epi32(127 << 23)));
}

/// Mask of the first n lanes (0 <= n <= 8).
inline __m256i first_lanes(int n) {
  alignas(32) static constexpr int32_t kMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask + 8 - n));
}
/// First n lanes (0 < n < kLanes); the rest are 0.
inline VecF load_first(const float* p, int n) { return _mm256_maskload_ps(p, first_lanes(n)); }
/// Not vmaskmovps, which takes some 20 cycles on AMD's cores.
inline void store_first(float* p, VecF x, int n) {
  __m128 rest = _mm256_castps256_ps128(x);
  if (n >= 4) {
    _mm_storeu_ps(p, rest);
    rest = _mm256_extractf128_ps(x, 1);
    p += 4;
  }
  if ((n & 2) != 0) {
    _mm_storel_pi(reinterpret_cast<__m64*>(p), rest);
    rest = _mm_movehl_ps(rest, rest);
    p += 2;
  }
  if ((n & 1) != 0) _mm_store_ss(p, rest);
}

// --- comparisons, bits

using Mask = __m256;  ///< all bits of a lane, or none
inline Mask less(VecF a, VecF b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
inline Mask equal(VecF a, VecF b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
inline bool any(Mask m) { return _mm256_movemask_ps(m) != 0; }
inline VecF select(Mask m, VecF yes, VecF no) { return _mm256_blendv_ps(no, yes, m); }
inline VecF square_root(VecF x) { return _mm256_sqrt_ps(x); }
inline VecF absolute(VecF x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
/// x with its sign changed where the sign of s is set.
inline VecF flip_sign(VecF x, VecF s) { return _mm256_xor_ps(x, _mm256_and_ps(_mm256_set1_ps(-0.0f), s)); }
inline VecI bits_of(VecF x) { return _mm256_castps_si256(x); }
inline VecF float_of(VecI bits) { return _mm256_castsi256_ps(bits); }
inline VecF to_float(VecI x) { return _mm256_cvtepi32_ps(x); }
inline VecI add_int(VecI a, VecI b) { return _mm256_add_epi32(a, b); }
inline VecI subtract_int(VecI a, VecI b) { return _mm256_sub_epi32(a, b); }
inline VecI and_bits(VecI a, VecI b) { return _mm256_and_si256(a, b); }
template <int kBits>
inline VecI shift_left(VecI x) {
  return _mm256_slli_epi32(x, kBits);
}
/// The sign comes in from above.
template <int kBits>
inline VecI shift_right(VecI x) {
  return _mm256_srai_epi32(x, kBits);
}
/// Lanes in which that one bit is set.
inline Mask has_bit(VecI x, int32_t bit) {
  return _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_and_si256(x, splat_int(bit)), splat_int(bit)));
}

// --- bytes

inline Bytes16 load_bytes(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
inline void store_bytes(void* p, Bytes16 x) { _mm_storeu_si128(static_cast<__m128i*>(p), x); }
inline Bytes16 splat_byte(int8_t x) { return _mm_set1_epi8(x); }
inline Bytes16 maximum(Bytes16 a, Bytes16 b) { return _mm_max_epi8(a, b); }
inline Bytes16 minimum(Bytes16 a, Bytes16 b) { return _mm_min_epi8(a, b); }
inline Bytes16 bytes_of(uint64_t low, uint64_t high) {
  return _mm_set_epi64x(static_cast<int64_t>(high), static_cast<int64_t>(low));
}
inline uint64_t low_word(Bytes16 x) { return static_cast<uint64_t>(_mm_cvtsi128_si64(x)); }
inline uint64_t high_word(Bytes16 x) { return static_cast<uint64_t>(_mm_extract_epi64(x, 1)); }

/// The halves of bytes, unsigned.
inline Bytes16 low_halves(Bytes16 x) { return _mm_and_si128(x, _mm_set1_epi8(15)); }
inline Bytes16 high_halves(Bytes16 x) { return low_halves(_mm_srli_epi16(x, 4)); }
/// table[index], of indices below 16.
inline Bytes16 look_up(Bytes16 table, Bytes16 index) { return _mm_shuffle_epi8(table, index); }
/// Floats of their bytes, the lowest first.
inline F32x16 join_bytes(Bytes16 a, Bytes16 b, Bytes16 c, Bytes16 d) {
  const Bytes16 low = _mm_unpacklo_epi8(a, b), low_high = _mm_unpackhi_epi8(a, b);
  const Bytes16 high = _mm_unpacklo_epi8(c, d), high_high = _mm_unpackhi_epi8(c, d);
  const __m256i first = _mm256_set_m128i(_mm_unpackhi_epi16(low, high), _mm_unpacklo_epi16(low, high));
  const __m256i second =
      _mm256_set_m128i(_mm_unpackhi_epi16(low_high, high_high), _mm_unpacklo_epi16(low_high, high_high));
  return {{_mm256_castsi256_ps(first), _mm256_castsi256_ps(second)}};
}

inline Wide load_wide(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
inline void store_wide(void* p, Wide x) { _mm256_storeu_si256(static_cast<__m256i*>(p), x); }
inline Wide splat_wide(int8_t x) { return _mm256_set1_epi8(x); }
inline Wide maximum(Wide a, Wide b) { return _mm256_max_epi8(a, b); }
inline Wide minimum(Wide a, Wide b) { return _mm256_min_epi8(a, b); }

/// An int8 zero point, in the form that to_float wants.
using ZeroPoint = VecI;
inline ZeroPoint splat_zero_point(int32_t x) { return splat_int(x); }

/// float(b - zero_point), 16 lanes.
inline F32x16 to_float(Bytes16 b, ZeroPoint zero_point) {
  return {{_mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_cvtepi8_epi32(b), zero_point)),
           _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_cvtepi8_epi32(_mm_unpackhi_epi64(b, b)), zero_point))}};
}

/// OutputRange in registers.
struct Range {
  VecF lo, hi;
  __m256i zero_point;  ///< 16 int16
};

inline Range load_range(const OutputRange& range) {
  return {splat(range.lo), splat(range.hi), _mm256_set1_epi16(static_cast<int16_t>(range.zero_point))};
}

/// rne(clamp(x, lo, hi)) + zero_point as bytes; a NaN becomes lo. Clamping comes first: conversion does not
/// saturate.
inline Bytes16 quantize(const F32x16& x, const Range& range) {
  const __m256i a = _mm256_cvtps_epi32(clamp_nan_to_lo(x.v[0], range.lo, range.hi));
  const __m256i b = _mm256_cvtps_epi32(clamp_nan_to_lo(x.v[1], range.lo, range.hi));
  const __m256i words = _mm256_add_epi16(_mm256_packs_epi32(a, b), range.zero_point);
  const __m256i ordered = _mm256_permute4x64_epi64(words, 0xd8);
  return _mm_packs_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1));
}

/// Sum of up to 256 vectors of bytes, in int16.
using Sum16 = __m256i;
inline Sum16 zero_sum() { return _mm256_setzero_si256(); }
inline Sum16 add_bytes(Sum16 sum, Bytes16 b) { return _mm256_add_epi16(sum, _mm256_cvtepi8_epi16(b)); }

inline Sum16 add_sums(Sum16 a, Sum16 b) { return _mm256_add_epi16(a, b); }
inline Sum16 load_sum(const int16_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
inline void store_sum(int16_t* p, Sum16 sum) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), sum); }

/// Sixteen int32.
struct I32x16 {
  VecI v[kParts];
};
inline I32x16 splat_i32x16(int32_t x) { return {{splat_int(x), splat_int(x)}}; }
inline void widen_into(I32x16* total, Sum16 sum) {
  total->v[0] = _mm256_add_epi32(total->v[0], _mm256_cvtepi16_epi32(_mm256_castsi256_si128(sum)));
  total->v[1] = _mm256_add_epi32(total->v[1], _mm256_cvtepi16_epi32(_mm256_extracti128_si256(sum, 1)));
}
inline F32x16 to_float(const I32x16& x) { return {{_mm256_cvtepi32_ps(x.v[0]), _mm256_cvtepi32_ps(x.v[1])}}; }

// --- sums of products of int16

/// Two steps of 16 columns: the column of one step beside that of the next.
struct Pairs16 {
  __m256i v[kParts];
};
inline Pairs16 load_pairs(const int16_t* p) {
  const auto* vectors = reinterpret_cast<const __m256i*>(p);
  return {{_mm256_loadu_si256(vectors), _mm256_loadu_si256(vectors + 1)}};
}
/// Bytes less a zero point, in the form that load_pairs reads.
inline void store_pairs(int16_t* p, Bytes16 first, Bytes16 second, int16_t zero_point) {
  const __m256i zero = _mm256_set1_epi16(zero_point);
  const __m256i a = _mm256_sub_epi16(_mm256_cvtepi8_epi16(first), zero);
  const __m256i b = _mm256_sub_epi16(_mm256_cvtepi8_epi16(second), zero);
  const __m256i low = _mm256_unpacklo_epi16(a, b), high = _mm256_unpackhi_epi16(a, b);
  auto* vectors = reinterpret_cast<__m256i*>(p);
  _mm256_storeu_si256(vectors, _mm256_permute2x128_si256(low, high, 0x20));
  _mm256_storeu_si256(vectors + 1, _mm256_permute2x128_si256(low, high, 0x31));
}
/// sum + x[0] * first step + x[1] * second step, where no product of |x| and a column reaches 2^30.
inline void add_products(I32x16* sum, const Pairs16& columns, const int16_t* x) {
  int32_t pair;
  __builtin_memcpy(&pair, x, 4);
  const __m256i factor = _mm256_set1_epi32(pair);
  for (int i = 0; i < kParts; i++)
    sum->v[i] = _mm256_add_epi32(sum->v[i], _mm256_madd_epi16(columns.v[i], factor));
}

// --- changes of layout

/// Transposes 16 rows of 16 bytes: four rounds of interleaving row i with row i + 8.
inline void transpose_bytes(Bytes16 rows[16]) {
  for (int round = 0; round < 4; round++) {
    Bytes16 next[16];
    for (int i = 0; i < 8; i++) {
      next[2 * i] = _mm_unpacklo_epi8(rows[i], rows[i + 8]);
      next[2 * i + 1] = _mm_unpackhi_epi8(rows[i], rows[i + 8]);
    }
    for (int i = 0; i < 16; i++) rows[i] = next[i];
  }
}

/// Transposes 4 rows of 4 words, from_stride bytes apart, into 4 rows to_stride bytes apart.
inline void transpose_words(uint8_t* to, ptrdiff_t to_stride, const uint8_t* from, ptrdiff_t from_stride) {
  const Bytes16 a = load_bytes(from), b = load_bytes(from + from_stride);
  const Bytes16 c = load_bytes(from + 2 * from_stride), d = load_bytes(from + 3 * from_stride);
  const Bytes16 ab = _mm_unpacklo_epi32(a, b), cd = _mm_unpacklo_epi32(c, d);
  const Bytes16 ab_high = _mm_unpackhi_epi32(a, b), cd_high = _mm_unpackhi_epi32(c, d);
  store_bytes(to, _mm_unpacklo_epi64(ab, cd));
  store_bytes(to + to_stride, _mm_unpackhi_epi64(ab, cd));
  store_bytes(to + 2 * to_stride, _mm_unpacklo_epi64(ab_high, cd_high));
  store_bytes(to + 3 * to_stride, _mm_unpackhi_epi64(ab_high, cd_high));
}

/// Writes a0 b0 c0 a1 b1 c1 ...: 48 bytes.
inline void interleave_3(void* to, Bytes16 a, Bytes16 b, Bytes16 c) {
  // Rotations that put every byte into its third of the output, then each third picks from all three inputs.
  const Bytes16 order = _mm_setr_epi8(0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15, 10, 5);
  a = _mm_shuffle_epi8(a, order);
  b = _mm_shuffle_epi8(b, _mm_alignr_epi8(order, order, 15));
  c = _mm_shuffle_epi8(c, _mm_alignr_epi8(order, order, 14));
  const Bytes16 second = _mm_setr_epi8(0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0);
  const Bytes16 third = _mm_setr_epi8(0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0);
  uint8_t* p = static_cast<uint8_t*>(to);
  store_bytes(p, _mm_blendv_epi8(_mm_blendv_epi8(a, b, second), c, third));
  store_bytes(p + 16, _mm_blendv_epi8(_mm_blendv_epi8(b, c, second), a, third));
  store_bytes(p + 32, _mm_blendv_epi8(_mm_blendv_epi8(c, a, second), b, third));
}

/// Inverse of interleave_3: reads 48 bytes.
inline void deinterleave_3(const void* from, Bytes16* a, Bytes16* b, Bytes16* c) {
  const uint8_t* p = static_cast<const uint8_t*>(from);
  const Bytes16 x = load_bytes(p), y = load_bytes(p + 16), z = load_bytes(p + 32);
  const Bytes16 second = _mm_setr_epi8(0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0);
  const Bytes16 third = _mm_setr_epi8(0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0);
  const Bytes16 first_a = _mm_blendv_epi8(_mm_blendv_epi8(x, z, second), y, third);
  const Bytes16 first_b = _mm_blendv_epi8(_mm_blendv_epi8(y, x, second), z, third);
  const Bytes16 first_c = _mm_blendv_epi8(_mm_blendv_epi8(z, y, second), x, third);
  const Bytes16 order = _mm_setr_epi8(0, 3, 6, 9, 12, 15, 2, 5, 8, 11, 14, 1, 4, 7, 10, 13);
  *a = _mm_shuffle_epi8(first_a, order);
  *b = _mm_shuffle_epi8(first_b, _mm_add_epi8(order, _mm_set1_epi8(1)));
  *c = _mm_shuffle_epi8(first_c, _mm_add_epi8(order, _mm_set1_epi8(2)));
}

}  // namespace
}  // namespace hone
