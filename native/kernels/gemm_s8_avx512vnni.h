#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "native/core/requantize.h"
#include "native/kernels/gemm_pack.h"
#include "native/kernels/unroll.h"
#include "native/kernels/x86_intrinsics.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // GCC bug 105593: its own _mm512_undefined_*
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

/// Matrix product u8 x s8 by vpdpbusd with requantization in registers; serves conv_s8 and fc_s8. Packed
/// form: GemmFormat {16, 4, 1, 128}, so one vector is 16 output channels by 4 neighbours in k. Internal
/// linkage on purpose.
namespace hone {
namespace {

/// The head of a block: bias, multipliers, zero points and traits, a vector each.
inline constexpr size_t kZeroPointOffset = 128, kTraitsOffset = 192, kHeadBytes = 256;

/// s8 to u8 (x + 128), the element that vpdpbusd wants on its left.
inline void copy_as_u8(uint8_t* to, const int8_t* from, int64_t count) {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
  for (; count >= 64; count -= 64, to += 64, from += 64) {
    _mm512_storeu_si512(to, _mm512_xor_si512(_mm512_loadu_si512(from), flip));
  }
  if (count > 0) {
    const __mmask64 mask = (uint64_t{1} << count) - 1;
    _mm512_mask_storeu_epi8(to, mask, _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, from), flip));
  }
}

/// Fills a band (window_band.h) with u8 elements.
struct ToU8 {
  uint8_t zero_point;  ///< of x, plus 128

  void fill(uint8_t* to, int64_t count) const {
    const __m512i value = _mm512_set1_epi8(static_cast<char>(zero_point));
    for (; count >= 64; count -= 64, to += 64) _mm512_storeu_si512(to, value);
    if (count > 0) _mm512_mask_storeu_epi8(to, (uint64_t{1} << count) - 1, value);
  }
  void copy(uint8_t* to, const int8_t* from, int64_t count) const { copy_as_u8(to, from, count); }
};

/// int32 accumulators to int8. Only the upper clamp runs in float, against the overflow of the conversion (a
/// value below INT_MIN converts to INT_MIN by itself, and so does NaN); saturating packs and one byte maximum
/// do the lower clamp.
class Requantizer {
 public:
  explicit Requantizer(const OutputRange& range)
      : hi_(_mm512_set1_ps(range.hi)),
        zero_point_(_mm512_set1_epi16(static_cast<int16_t>(range.zero_point))),
        qmin_(_mm512_set1_epi8(static_cast<char>(static_cast<int32_t>(range.lo) + range.zero_point))) {}

  /// Rounds 16 values in units of the output scale; the zero point is still missing.
  __m512i round(__m512 value) const {
    return _mm512_cvtps_epi32(_mm512_min_ps(hi_, value));  // this order keeps NaN
  }
  __m512i round(__m512i acc, __m512 multiplier) const {
    return round(_mm512_mul_ps(_mm512_cvtepi32_ps(acc), multiplier));
  }
  /// Four rounded vectors to 64 bytes. Byte 16 i + 4 j + l is lane 4 i + l of vector j: the order of unpacked
  /// bytes.
  __m512i narrow(__m512i q0, __m512i q1, __m512i q2, __m512i q3) const {
    const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(q0, q1), zero_point_);
    const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(q2, q3), zero_point_);
    return _mm512_max_epi8(_mm512_packs_epi16(low, high), qmin_);
  }
  /// As narrow, with the bytes of q0 first, then those of q1, q2, q3.
  __m512i narrow_in_order(__m512i q0, __m512i q1, __m512i q2, __m512i q3) const {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm512_permutexvar_epi32(order, narrow(q0, q1, q2, q3));
  }

 private:
  __m512 hi_;
  __m512i zero_point_;
  __m512i qmin_;
};

/// Fused addition: the convolution's int8 value (as `a`) plus the residual (as `b`), by the formula of
/// AddScales.
struct ResidualAdd {
  AddScales scales;
  OutputRange conv_range;
  const int8_t* data;  ///< of the first pixel and channel of the panel
  ptrdiff_t stride;

  /// Value in units of the output scale, before clamp and rounding; `residual` are the bytes of 16 channels.
  __m512 apply(__m512i acc, __m512 multiplier, __m128i residual) const {
    const __m512 value = _mm512_mul_ps(_mm512_cvtepi32_ps(acc), multiplier);
    const __m512 clamped = _mm512_min_ps(_mm512_max_ps(value, _mm512_set1_ps(conv_range.lo)),  // NaN gives lo
                                         _mm512_set1_ps(conv_range.hi));
    const __m512 rounded = _mm512_roundscale_ps(clamped, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const float shift = static_cast<float>(conv_range.zero_point - scales.a_zero_point);
    const __m512 a =
        _mm512_mul_ps(_mm512_add_ps(rounded, _mm512_set1_ps(shift)), _mm512_set1_ps(scales.a_scale));
    const __m512i centred =
        _mm512_sub_epi32(_mm512_cvtepi8_epi32(residual), _mm512_set1_epi32(scales.b_zero_point));
    const __m512 b = _mm512_mul_ps(_mm512_cvtepi32_ps(centred), _mm512_set1_ps(scales.b_scale));
    return _mm512_div_ps(_mm512_add_ps(a, b), _mm512_set1_ps(scales.out_scale));
  }
};

/// What a micro-kernel call needs besides its pixels: neighbouring blocks of packed weights, the way through
/// the window, and the output.
struct Panel {
  const uint8_t* block;  ///< the first of the packed blocks
  size_t block_bytes;
  int32_t rows, columns;  ///< runs = rows * columns
  ptrdiff_t row_step, column_step;
  int64_t run_groups;    ///< groups of 4 k per run
  ptrdiff_t pixel_step;  ///< bytes of u8 input from one output pixel to the next
  ptrdiff_t y_stride;
  int32_t channels;  ///< that exist in these blocks, at most 16 per block
  Requantizer requantizer;
  const ResidualAdd* residual;  ///< null: none
  const uint8_t* sums;          ///< of the windows of its pixels; null where no block has a zero point
  ptrdiff_t sum_step = 4;       ///< bytes from one sum to the next
  bool small_sums = false;      ///< they are below 2^15
  bool word_sums = false;       ///< and have 16 bits, not 32
};

/// The deepest window whose sums of u8 are below 2^15.
inline constexpr int64_t kMostSmallDepth = 128;

/// Whether some zero point of the weights in `count` neighbouring blocks is not 0.
inline bool is_shifted(const uint8_t* blocks, size_t block_bytes, int32_t count) {
  uint32_t traits = 0;
  for (int32_t b = 0; b < count; b++) {
    uint32_t own;
    memcpy(&own, blocks + b * block_bytes + kTraitsOffset, sizeof(own));
    traits |= own;
  }
  return (traits & kPackedShifted) != 0;
}

inline __m512i broadcast4(const uint8_t* bytes) {
  int32_t word;
  memcpy(&word, bytes, sizeof(word));
  return _mm512_set1_epi32(word);
}

/// Lowest `count` bits, count in 0..64.
inline uint64_t low_bits(int32_t count) { return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1; }

/// Sums of runs of u8, a run at a time, spread over 16 lanes.
class RunSum {
 public:
  explicit RunSum(int32_t run_length) : whole_(run_length / 64), rest_(low_bits(run_length % 64)) {}

  __m512i add(__m512i sum, const uint8_t* x) const {
    const __m512i ones = _mm512_set1_epi8(1);
    for (int32_t i = 0; i < whole_; i++, x += 64) sum = _mm512_dpbusd_epi32(sum, _mm512_loadu_si512(x), ones);
    return rest_ == 0 ? sum : _mm512_dpbusd_epi32(sum, _mm512_maskz_loadu_epi8(rest_, x), ones);
  }

 private:
  int32_t whole_;
  __mmask64 rest_;
};

/// Sums of the lanes of four vectors.
inline __m128i sum_lanes(__m512i a, __m512i b, __m512i c, __m512i d) {
  const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
  const __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
  const __m512i all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
  const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

/// Sum of the lanes of a vector.
inline int32_t sum_lanes(__m512i a) {
  const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64(a, 1));
  const __m128i quarter = _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  const __m128i pair = _mm_add_epi32(quarter, _mm_unpackhi_epi64(quarter, quarter));
  return _mm_cvtsi128_si32(_mm_add_epi32(pair, _mm_shuffle_epi32(pair, 1)));
}

/// sums[p]: of the window of each pixel of a panel whose runs are run_length long. Written in fours.
inline void sum_windows(const Panel& panel, int32_t run_length, const uint8_t* a, int64_t pixels,
                        int32_t* sums) {
  const RunSum run_sum(run_length);
  for (int64_t pixel = 0; pixel < pixels; pixel += 4) {
    const uint8_t* row[4] = {};
    unroll<4>([&](auto p) {  // the last pixel is repeated
      row[p] = a + (pixel + p < pixels ? pixel + p : pixels - 1) * panel.pixel_step;
    });
    const __m512i zero = _mm512_setzero_si512();
    __m512i sum[4] = {zero, zero, zero, zero};
    for (int32_t kh = 0; kh < panel.rows; kh++) {
      ptrdiff_t at = kh * panel.row_step;
      for (int32_t kw = 0; kw < panel.columns; kw++, at += panel.column_step)
        unroll<4>([&](auto p) { sum[p] = run_sum.add(sum[p], row[p] + at); });
    }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(sums + pixel), sum_lanes(sum[0], sum[1], sum[2], sum[3]));
  }
}

/// Stores 64 bytes that hold `kBlocks` vectors of 16 channels for each of 4 / kBlocks pixels (one for 3 and
/// 4).
template <int kBlocks>
inline void store_pixels(__m512i bytes, const Panel& panel, int8_t* y, int pixels) {
  const bool full = panel.channels == 16 * kBlocks;
  if constexpr (kBlocks >= 3) {
    if (kBlocks == 4 && full) {
      _mm512_storeu_si512(y, bytes);
    } else {
      _mm512_mask_storeu_epi8(y, low_bits(panel.channels), bytes);
    }
  } else if constexpr (kBlocks == 2) {
    const __m256i halves[2] = {_mm512_castsi512_si256(bytes), _mm512_extracti64x4_epi64(bytes, 1)};
    for (int p = 0; p < pixels; p++) {
      if (full) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + p * panel.y_stride), halves[p]);
      } else {
        _mm256_mask_storeu_epi8(y + p * panel.y_stride, static_cast<__mmask32>(low_bits(panel.channels)),
                                halves[p]);
      }
    }
  } else {
    const __m128i quarters[4] = {_mm512_castsi512_si128(bytes), _mm512_extracti32x4_epi32(bytes, 1),
                                 _mm512_extracti32x4_epi32(bytes, 2), _mm512_extracti32x4_epi32(bytes, 3)};
    for (int p = 0; p < pixels; p++) {
      if (full) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(y + p * panel.y_stride), quarters[p]);
      } else {
        _mm_mask_storeu_epi8(y + p * panel.y_stride, static_cast<__mmask16>(low_bits(panel.channels)),
                             quarters[p]);
      }
    }
  }
}

/// The zero points of a block, negated.
inline __m512i negate_zero_points(const uint8_t* block) {
  return _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_loadu_si512(block + kZeroPointOffset));
}
/// The same where dpwssd multiplies them, with 0 next to each: whatever lies next to a sum of 16 bits does
/// not count.
inline __m512i negate_words(const uint8_t* block) {
  return _mm512_maskz_mov_epi16(0x55555555, negate_zero_points(block));
}

/// Takes the zero points of the weights out of kPixels x kBlocks accumulators.
template <int kBlocks, int kPixels>
[[gnu::always_inline]] inline void subtract_zero_points(const Panel& panel, int64_t pixel,
                                                        __m512i (&acc)[kPixels][kBlocks]) {
  const uint8_t* sums = panel.sums + pixel * panel.sum_step;
  const auto add_products = [&](auto negate, auto add) {
    __m512i negative[kBlocks];
    unroll<kBlocks>([&](auto b) { negative[b] = negate(panel.block + b * panel.block_bytes); });
    unroll<kPixels>([&](auto p) {
      const __m512i sum = broadcast4(sums + p * panel.sum_step);
      unroll<kBlocks>([&](auto b) { acc[p][b] = add(acc[p][b], sum, negative[b]); });
    });
  };
  if (panel.small_sums) {
    add_products(negate_words,
                 [](__m512i acc, __m512i sum, __m512i by) { return _mm512_dpwssd_epi32(acc, sum, by); });
  } else {
    add_products(negate_zero_points, [](__m512i acc, __m512i sum, __m512i by) {
      return _mm512_add_epi32(acc, _mm512_mullo_epi32(by, sum));
    });
  }
}

/// Requantizes and stores kPixels x kBlocks accumulators.
template <int kBlocks, int kPixels>
[[gnu::always_inline]] inline void finish_panel(const Panel& panel, const __m512i (&acc)[kPixels][kBlocks],
                                                int64_t pixel, int8_t* y) {
  constexpr int kAtOnce = kBlocks >= 3 ? 1 : 4 / kBlocks;
  unroll<(kPixels + kAtOnce - 1) / kAtOnce>([&](auto piece) {
    constexpr int kFirst = piece * kAtOnce;
    constexpr int kCount = kPixels - kFirst < kAtOnce ? kPixels - kFirst : kAtOnce;
    __m512i q[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                    _mm512_setzero_si512()};
    unroll<kCount * kBlocks>([&](auto vector) {
      constexpr int kPixel = kFirst + vector / kBlocks, kBlock = vector % kBlocks;
      const __m512 multiplier = _mm512_loadu_ps(panel.block + kBlock * panel.block_bytes + 64);
      q[vector] = panel.requantizer.round(acc[kPixel][kBlock], multiplier);
    });
    store_pixels<kBlocks>(panel.requantizer.narrow_in_order(q[0], q[1], q[2], q[3]), panel,
                          y + (pixel + kFirst) * panel.y_stride, kCount);
  });
}

/// As finish_panel with the residual added: one function for all sizes, because its divisions take longer
/// than the detour of the accumulators [pixels][blocks] through memory.
[[gnu::noinline]] inline void finish_with_residual(const Panel& panel, const __m512i* acc, int32_t pixels,
                                                   int32_t blocks, int64_t pixel, int8_t* y) {
  const ResidualAdd add = *panel.residual;
  const Requantizer requantizer = panel.requantizer;
  for (int32_t b = 0; b < blocks; b++) {
    const __m512 multiplier = _mm512_loadu_ps(panel.block + b * panel.block_bytes + 64);
    const __mmask16 mask = static_cast<__mmask16>(low_bits(panel.channels - 16 * b));
    const int8_t* residual = add.data + pixel * add.stride + 16 * b;
    int8_t* to = y + pixel * panel.y_stride + 16 * b;
    // One pixel ahead: a load behind a masked store to the bytes before it would wait for that store.
    __m128i ahead = _mm_maskz_loadu_epi8(mask, residual);
    for (int32_t p = 0; p < pixels; p++, to += panel.y_stride) {
      const __m128i current = ahead;
      residual += add.stride;
      if (p + 1 < pixels) ahead = _mm_maskz_loadu_epi8(mask, residual);
      const __m512i q = requantizer.round(add.apply(acc[p * blocks + b], multiplier, current));
      const __m512i zero = _mm512_setzero_si512();
      const __m128i bytes = _mm512_castsi512_si128(requantizer.narrow_in_order(q, zero, zero, zero));
      if (mask == 0xFFFF) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
      } else {
        _mm_mask_storeu_epi8(to, mask, bytes);
      }
    }
  }
}

/// Pixels [pixel, pixel + kPixels) of a panel; `a` and `y` belong to pixel 0.
template <int kBlocks, int kPixels>
void run_panel(const Panel& panel, const uint8_t* a, int64_t pixel, int8_t* y) {
  const size_t block_bytes = panel.block_bytes;
  const ptrdiff_t step = panel.pixel_step;
  __m512i acc[kPixels][kBlocks];
  unroll<kPixels>([&](auto p) {
    unroll<kBlocks>([&](auto b) { acc[p][b] = _mm512_loadu_si512(panel.block + b * block_bytes); });
  });
  const uint8_t* weights = panel.block + kHeadBytes;
  const uint8_t* row = a + pixel * step;
  for (int32_t kh = 0; kh < panel.rows; kh++, row += panel.row_step) {
    const uint8_t* run = row;
    for (int32_t kw = 0; kw < panel.columns; kw++, run += panel.column_step) {
      // Four pixels per base: few enough addresses to stay in registers.
      const uint8_t* bases[4] = {run, run + 4 * step, run + 8 * step, run + 12 * step};
      for (int64_t group = 0; group < panel.run_groups; group++, weights += 64) {
        __m512i w[kBlocks];
        unroll<kBlocks>([&](auto b) { w[b] = _mm512_loadu_si512(weights + b * block_bytes); });
        unroll<kPixels>([&](auto p) {
          const __m512i x = broadcast4(bases[p / 4] + p % 4 * step);
          unroll<kBlocks>([&](auto b) { acc[p][b] = _mm512_dpbusd_epi32(acc[p][b], x, w[b]); });
        });
        unroll<(kPixels + 3) / 4>([&](auto i) { bases[i] += 4; });
      }
    }
  }
  if (panel.sums != nullptr) subtract_zero_points<kBlocks, kPixels>(panel, pixel, acc);
  if (panel.residual == nullptr) {
    finish_panel<kBlocks, kPixels>(panel, acc, pixel, y);
  } else {
    __m512i spilled[kPixels * kBlocks];
    unroll<kPixels * kBlocks>([&](auto i) { spilled[i] = acc[i / kBlocks][i % kBlocks]; });
    finish_with_residual(panel, spilled, kPixels, kBlocks, pixel, y);
  }
}

/// Pixels per micro-kernel for 1..4 blocks: 16 to 24 accumulators.
template <int kBlocks>
inline constexpr int kPanelPixels = kBlocks == 1   ? 16
                                    : kBlocks == 2 ? 12
                                    : kBlocks == 3 ? 8
                                                   : 6;

using RunPanel = void (*)(const Panel& panel, const uint8_t* a, int64_t pixel, int8_t* y);

/// Micro-kernels of kBlocks blocks by number of pixels, 1 first.
template <int kBlocks>
struct PanelTable {
  RunPanel run[kPanelPixels<kBlocks>];
  constexpr PanelTable() : run() { fill<kPanelPixels<kBlocks>>(); }
  template <int kPixels>
  constexpr void fill() {
    run[kPixels - 1] = run_panel<kBlocks, kPixels>;
    if constexpr (kPixels > 1) fill<kPixels - 1>();
  }
};
template <int kBlocks>
constexpr PanelTable<kBlocks> kPanelTable{};

/// Splits `pixels` as evenly as the width of the micro-kernel allows: 14 is 5 + 5 + 4, not 6 + 6 + 2.
template <int kBlocks>
inline void run_pixels(const Panel& panel, const uint8_t* a, int64_t pixels, int8_t* y) {
  int64_t pieces = (pixels + kPanelPixels<kBlocks> - 1) / kPanelPixels<kBlocks>;
  for (int64_t pixel = 0; pixel < pixels; pieces--) {
    const int64_t count = (pixels - pixel + pieces - 1) / pieces;
    kPanelTable<kBlocks>.run[count - 1](panel, a, pixel, y);
    pixel += count;
  }
}

/// All pixels of a panel of 1..4 blocks.
inline void run_pixels(int32_t blocks, const Panel& panel, const uint8_t* a, int64_t pixels, int8_t* y) {
  switch (blocks) {
    case 1:
      return run_pixels<1>(panel, a, pixels, y);
    case 2:
      return run_pixels<2>(panel, a, pixels, y);
    case 3:
      return run_pixels<3>(panel, a, pixels, y);
    default:
      return run_pixels<4>(panel, a, pixels, y);
  }
}

/// How many of `blocks` blocks to take at once, so that the pieces are even: 5 is 3 + 2, not 4 + 1.
inline int32_t next_blocks(int32_t blocks) {
  const int32_t pieces = (blocks + 3) / 4;
  return (blocks + pieces - 1) / pieces;
}

}  // namespace
}  // namespace hone
