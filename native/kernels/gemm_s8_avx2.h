#pragma once
#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "native/core/requantize.h"
#include "native/kernels/gemm_pack.h"
#include "native/kernels/unroll.h"

/// Matrix product s16 x s16 by vpmaddwd (exact; vpmaddubsw would saturate) with requantization in registers;
/// serves conv_s8 and fc_s8. Packed form: GemmFormat {16, 2, 2, 0}, so two vectors are 16 output channels by
/// 2 neighbours in k. Internal linkage on purpose.
namespace hone {
namespace {

/// s8 to s16.
inline void copy_as_s16(int16_t* to, const int8_t* from, int64_t count) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), _mm256_cvtepi8_epi16(bytes));
  }
  for (; i < count; i++) to[i] = from[i];
}

inline void fill_s16(int16_t* to, int16_t value, int64_t count) {
  for (int64_t i = 0; i < count; i++) to[i] = value;
}

/// The first `count` of 16 bytes.
inline void store_bytes(int8_t* to, __m128i bytes, int32_t count) {
  if (count >= 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    return;
  }
  alignas(16) int8_t all[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(all), bytes);
  memcpy(to, all, static_cast<size_t>(count));
}

/// The first `count` bytes, 0 to 8, as the low bytes of a word. Not through memory: a load behind narrower
/// stores to its bytes would wait for them.
[[gnu::noinline]] inline int64_t load_word(const int8_t* from, int32_t count) {
  uint64_t word = 0;
  if (count >= 4) {
    uint32_t first, last;
    memcpy(&first, from, 4);
    memcpy(&last, from + count - 4, 4);
    word = first | static_cast<uint64_t>(last) << (8 * (count - 4));
  } else {
    for (int32_t i = 0; i < count; i++)
      word |= static_cast<uint64_t>(static_cast<uint8_t>(from[i])) << (8 * i);
  }
  return static_cast<int64_t>(word);
}

/// The first `count` of 16 bytes, the rest 0; touches no other byte.
inline __m128i load_bytes(const int8_t* from, int32_t count) {
  if (count >= 16) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  const int32_t low = count < 8 ? count : 8;
  return _mm_set_epi64x(load_word(from + 8, count - low), load_word(from, low));
}

/// int32 accumulators to int8. Only the upper clamp runs in float, against the overflow of the conversion (a
/// value below INT_MIN converts to INT_MIN by itself, and so does NaN); saturating packs and one byte maximum
/// do the lower clamp.
class Requantizer {
 public:
  explicit Requantizer(const OutputRange& range)
      : hi_(_mm256_set1_ps(range.hi)),
        zero_point_(_mm256_set1_epi16(static_cast<int16_t>(range.zero_point))),
        qmin_(_mm_set1_epi8(static_cast<char>(static_cast<int32_t>(range.lo) + range.zero_point))) {}

  /// Rounds 8 values in units of the output scale; the zero point is still missing.
  __m256i round(__m256 value) const {
    return _mm256_cvtps_epi32(_mm256_min_ps(hi_, value));  // this order keeps NaN
  }
  __m256i round(__m256i acc, __m256 multiplier) const {
    return round(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), multiplier));
  }
  /// Two rounded vectors to 16 bytes in order.
  __m128i narrow(__m256i low, __m256i high) const {
    const __m256i words = _mm256_adds_epi16(_mm256_packs_epi32(low, high), zero_point_);
    const __m256i ordered = _mm256_permute4x64_epi64(words, 0xD8);
    const __m128i bytes =
        _mm_packs_epi16(_mm256_castsi256_si128(ordered), _mm256_extracti128_si256(ordered, 1));
    return _mm_max_epi8(bytes, qmin_);
  }

 private:
  __m256 hi_;
  __m256i zero_point_;
  __m128i qmin_;
};

/// Fused addition: the convolution's int8 value (as `a`) plus the residual (as `b`), by the formula of
/// AddScales.
struct ResidualAdd {
  AddScales scales;
  OutputRange conv_range;
  const int8_t* data;  ///< of the first pixel and channel of the panel
  ptrdiff_t stride;

  /// Value in units of the output scale, before clamp and rounding. `residual`: 8 bytes in the low half.
  __m256 apply(__m256i acc, __m256 multiplier, __m128i residual) const {
    const __m256 value = _mm256_mul_ps(_mm256_cvtepi32_ps(acc), multiplier);
    const __m256 clamped = _mm256_min_ps(_mm256_max_ps(value, _mm256_set1_ps(conv_range.lo)),  // NaN gives lo
                                         _mm256_set1_ps(conv_range.hi));
    const __m256 rounded = _mm256_round_ps(clamped, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const float shift = static_cast<float>(conv_range.zero_point - scales.a_zero_point);
    const __m256 a =
        _mm256_mul_ps(_mm256_add_ps(rounded, _mm256_set1_ps(shift)), _mm256_set1_ps(scales.a_scale));
    const __m256i centred =
        _mm256_sub_epi32(_mm256_cvtepi8_epi32(residual), _mm256_set1_epi32(scales.b_zero_point));
    const __m256 b = _mm256_mul_ps(_mm256_cvtepi32_ps(centred), _mm256_set1_ps(scales.b_scale));
    return _mm256_div_ps(_mm256_add_ps(a, b), _mm256_set1_ps(scales.out_scale));
  }
};

/// What a micro-kernel call needs besides its pixels: one block of packed weights, the way through the
/// window, the output.
struct Panel {
  const uint8_t* block;
  int32_t rows, columns;            ///< runs = rows * columns
  ptrdiff_t row_step, column_step;  ///< in elements
  int64_t run_groups;               ///< pairs of k per run
  ptrdiff_t pixel_step;             ///< elements of input from one output pixel to the next
  ptrdiff_t y_stride;
  int32_t channels;  ///< that exist in this block, at most 16
  Requantizer requantizer;
  const ResidualAdd* residual;  ///< null: none
};

inline __m256i load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }

inline __m256i broadcast2(const int16_t* pair) {
  int32_t word;
  memcpy(&word, pair, sizeof(word));
  return _mm256_set1_epi32(word);
}

/// Pixels [pixel, pixel + kPixels) of a panel; `a` and `y` belong to pixel 0.
template <int kPixels>
void run_panel(const Panel& panel, const int16_t* a, int64_t pixel, int8_t* y) {
  const ptrdiff_t step = panel.pixel_step;
  __m256i acc[kPixels][2];
  unroll<kPixels>([&](auto p) {
    acc[p][0] = load(panel.block);
    acc[p][1] = load(panel.block + 32);
  });
  const uint8_t* weights = panel.block + 128;
  const int16_t* row = a + pixel * step;
  for (int32_t kh = 0; kh < panel.rows; kh++, row += panel.row_step) {
    const int16_t* run = row;
    for (int32_t kw = 0; kw < panel.columns; kw++, run += panel.column_step) {
      const int16_t* x = run;
      for (int64_t group = 0; group < panel.run_groups; group++, weights += 64, x += 2) {
        const __m256i w0 = load(weights), w1 = load(weights + 32);
        unroll<kPixels>([&](auto p) {
          const __m256i pair = broadcast2(x + p * step);
          acc[p][0] = _mm256_add_epi32(acc[p][0], _mm256_madd_epi16(pair, w0));
          acc[p][1] = _mm256_add_epi32(acc[p][1], _mm256_madd_epi16(pair, w1));
        });
      }
    }
  }
  const __m256 m0 = _mm256_castsi256_ps(load(panel.block + 64)),
               m1 = _mm256_castsi256_ps(load(panel.block + 96));
  unroll<kPixels>([&](auto p) {
    __m128i bytes;
    if (panel.residual == nullptr) {
      bytes = panel.requantizer.narrow(panel.requantizer.round(acc[p][0], m0),
                                       panel.requantizer.round(acc[p][1], m1));
    } else {
      const ResidualAdd& add = *panel.residual;
      const __m128i residual = load_bytes(add.data + (pixel + p) * add.stride, panel.channels);
      bytes = panel.requantizer.narrow(
          panel.requantizer.round(add.apply(acc[p][0], m0, residual)),
          panel.requantizer.round(add.apply(acc[p][1], m1, _mm_srli_si128(residual, 8))));
    }
    store_bytes(y + (pixel + p) * panel.y_stride, bytes, panel.channels);
  });
}

/// All pixels of a panel, split evenly: 5 is 3 + 2, not 4 + 1. Four pixels keep both multipliers busy; six
/// would not leave registers for the products.
inline void run_pixels(const Panel& panel, const int16_t* a, int64_t pixels, int8_t* y) {
  constexpr int64_t kPixels = 4;
  int64_t pieces = (pixels + kPixels - 1) / kPixels;
  for (int64_t pixel = 0; pixel < pixels; pieces--) {
    const int64_t count = (pixels - pixel + pieces - 1) / pieces;
    switch (count) {
      case 1:
        run_panel<1>(panel, a, pixel, y);
        break;
      case 2:
        run_panel<2>(panel, a, pixel, y);
        break;
      case 3:
        run_panel<3>(panel, a, pixel, y);
        break;
      default:
        run_panel<4>(panel, a, pixel, y);
        break;
    }
    pixel += count;
  }
}

}  // namespace
}  // namespace hone
