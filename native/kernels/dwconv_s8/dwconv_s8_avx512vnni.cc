#include "native/kernels/dwconv_s8/dwconv_s8_avx512vnni_sums.h"
#include "native/kernels/dwconv_s8/dwconv_s8_rows.h"
#include "native/kernels/gemm_s8_avx512vnni.h"
#include "native/kernels/window_band.h"

// One byte vector per kernel row, 64 channels each; unpacking interleaves the bytes of four rows, so that
// every dword holds one channel's vertical taps and vpdpbusd sums them at once. An interleaved column serves
// all the windows it lies in. Unpacking leaves the channels out of order, and the packs of the requantization
// put them back: see DwconvFormat.
namespace hone {
namespace {

/// One output row by one block. A vector is 64 channels of a pixel or, when fewer channels fill 64 bytes,
/// several pixels.
struct Strip {
  const uint8_t* block;
  int32_t kernel_h, kernel_w;
  ptrdiff_t row_step, column_step;  ///< bytes from one tap to the next
  ptrdiff_t x_step, y_step;         ///< bytes from one vector to the next
  int64_t vectors;
  int32_t pixel_bytes;
  int32_t bytes, last_bytes;  ///< bytes that a vector holds, and the last one
  Requantizer requantizer;
  const ZeroPoints* zero_points;  ///< of the block; read only where it has any
};

inline __m512i load(const uint8_t* from) { return _mm512_loadu_si512(from); }

/// A vector that is used twice and must not be loaded twice (compilers fold loads into both uses).
inline __m512i load_once(const uint8_t* from) {
  __m512i vector = load(from);
#ifndef HONE_SIMDE  // there a vector is no register
  __asm__("" : "+v"(vector));
#endif
  return vector;
}

/// A vector of one tap: neighbouring pixels lie in it as in the input.
struct Neighbours {
  explicit Neighbours(const Strip&) {}
  __m512i operator()(const uint8_t* x) const { return load_once(x); }
};

/// A vector of one tap with stride 2: every second pixel of twice the bytes.
struct EverySecond {
  __m512i index;

  explicit EverySecond(const Strip& strip) {
    const int32_t dwords = strip.pixel_bytes / 4;
    alignas(64) int32_t sources[16];
    for (int32_t i = 0; i < 16; i++) sources[i] = i / dwords * 2 * dwords + i % dwords;
    index = _mm512_load_si512(sources);
  }
  __m512i operator()(const uint8_t* x) const {
    return _mm512_permutex2var_epi32(load(x), index, load(x + 64));
  }
};

/// Head of a packed block.
struct Constants {
  __m512i bias[4];
  __m512 multiplier[4];

  explicit Constants(const uint8_t* block) {
    unroll<4>([&](auto j) {
      bias[j] = load(block + j * 64);
      multiplier[j] = _mm512_loadu_ps(block + 256 + j * 64);
    });
  }
};

/// The first two rows of a group, interleaved.
struct FirstRows {
  __m512i low = _mm512_setzero_si512(), high = _mm512_setzero_si512();
};

/// Interleaves kRows kernel rows: v[j] holds channels 16 i + 4 j .. 16 i + 4 j + 3 in its lanes i, four taps
/// each; places beyond kRows as dwconv_second_place has them, with the rows `before` of the last group of
/// four. Adds the rows kSummed (summed_pairs) to `sums`.
template <int kRows, int kSummed, class Taps>
inline void interleave(const Taps& taps, const uint8_t* x, ptrdiff_t row_step, __m512i (&v)[4],
                       FirstRows& before, TapSums& sums) {
  // A single row that is summed has no second place: next to zeros its bytes are words.
  constexpr bool kFirst = (kSummed & 1) != 0, kOthers = (kSummed & 2) != 0;
  const __m512i zero = _mm512_setzero_si512();
  const __m512i a = taps(x), b = kRows > 1 ? taps(x + row_step) : kFirst ? zero : a;
  const __m512i low = _mm512_unpacklo_epi8(a, b), high = _mm512_unpackhi_epi8(a, b);
  __m512i low2 = kRows == 1 ? before.low : low, high2 = kRows == 1 ? before.high : high;
  if constexpr (kRows > 2) {
    const __m512i c = taps(x + 2 * row_step), d = kRows > 3 ? taps(x + 3 * row_step) : kOthers ? zero : c;
    low2 = _mm512_unpacklo_epi8(c, d);
    high2 = _mm512_unpackhi_epi8(c, d);
    if constexpr (kOthers && kRows == 3) sums.add({low2, high2});
    if constexpr (kOthers && kRows == 4) sums.add_rows(low2, high2);
  }
  if constexpr (kFirst && kRows == 1) sums.add({low, high});
  if constexpr (kFirst && kRows > 1) sums.add_rows(low, high);
  if constexpr (kRows == 4) before = {low, high};
  v[0] = _mm512_unpacklo_epi16(low, low2);
  v[1] = _mm512_unpackhi_epi16(low, low2);
  v[2] = _mm512_unpacklo_epi16(high, high2);
  v[3] = _mm512_unpackhi_epi16(high, high2);
}

/// Ones for the rows `summed` (summed_pairs) of a group of `rows`, in each dword.
inline __m512i ones_of(int summed, int32_t rows) {
  const uint32_t first = rows > 1 ? 0x0101 : 0x01, others = rows > 3 ? 0x01010000 : 0x00010000;
  return _mm512_set1_epi32(static_cast<int32_t>((summed & 1 ? first : 0) | (summed & 2 ? others : 0)));
}

inline void finish(const Strip& strip, const Constants& constants, const __m512i (&acc)[4], int64_t vector,
                   int8_t* y) {
  __m512i q[4];
  unroll<4>([&](auto j) { q[j] = strip.requantizer.round(acc[j], constants.multiplier[j]); });
  const __m512i bytes = strip.requantizer.narrow(q[0], q[1], q[2], q[3]);
  const int32_t count = vector + 1 == strip.vectors ? strip.last_bytes : strip.bytes;
  if (count == 64) {
    _mm512_storeu_si512(y, bytes);
  } else {
    _mm512_mask_storeu_epi8(y, low_bits(count), bytes);
  }
}

/// kStride: columns from one vector to the next (x_step = kStride * column_step), or kKernel when they share
/// none.
template <Sums kSums, int kKernel, int kStride, class Taps = Neighbours>
void run_strip(const Strip& shared, const uint8_t* x, int8_t* y) {
  constexpr int kGroups = (kKernel + 3) / 4;
  constexpr int kInFlight = (kKernel - 1) / kStride + 1;  // vectors that a column takes part in
  constexpr bool kShifted = kSums != Sums::kNone;
  constexpr int kLastSummed = kSums == Sums::kAll ? kGroups - 1 : (kKernel - 2) / 4;  // of the groups
  // Copies: the compiler must see that stores to y do not change them.
  const Strip strip = shared;
  const Constants constants(strip.block);
  const Taps taps(strip);
  const ZeroPoints& zero_points = *strip.zero_points;
  ColumnSums::Memory memory;
  SlidingSums<kInFlight - 1, kStride> sums(memory);
  const uint8_t* weights = strip.block + dwconv_head_bytes(kDwconvS8Avx512VnniFormat);
  __m512i w[kKernel * kGroups][4];
  if constexpr (!kShifted)
    unroll<kKernel * kGroups * 4>([&](auto i) { w[i / 4][i % 4] = load(weights + i * 64); });
  __m512i acc[kInFlight][4];
  // Adds a column that is tap kTap of acc[0], tap kTap - kStride of acc[1], and so on.
  // take(sums) is given those of the column as soon as they are there, to keep them no longer than needed.
  const auto feed = [&](const uint8_t* column, auto tap, auto take) __attribute__((always_inline)) {
    TapSums column_sums;
    FirstRows before;
    unroll<kGroups>([&](auto group) {
      constexpr int kRows = kKernel - 4 * group < 4 ? kKernel - 4 * group : 4;
      constexpr int kSummed = summed_pairs(kSums, kKernel, 4 * group);
      __m512i v[4];
      interleave<kRows, kSummed>(taps, column + 4 * group * strip.row_step, strip.row_step, v, before,
                                 column_sums);
      if constexpr (kShifted && group == kLastSummed) take(column_sums);
      unroll<4>([&](auto j) {
        unroll<kInFlight>([&](auto t) {
          constexpr int kTap = tap - kStride * t;
          if constexpr (kTap >= 0) {
            constexpr int kPlace = kTap * kGroups + group;
            acc[t][j] = _mm512_dpbusd_epi32(acc[t][j], v[j],
                                            kShifted ? load(weights + (4 * kPlace + j) * 64) : w[kPlace][j]);
          }
        });
      });
    });
  };
  unroll<kInFlight * 4>([&](auto i) { acc[i / 4][i % 4] = constants.bias[i % 4]; });
  unroll<kKernel - kStride>([&](auto tap) {
    feed(x + tap * strip.column_step, tap, [&](const TapSums& column) { sums.begin(tap, column); });
  });
  x += (kKernel - kStride) * strip.column_step;
  for (int64_t vector = 0; vector < strip.vectors; vector++, x += strip.x_step, y += strip.y_step) {
    // Sums leave too few registers for weights: better loaded again than spilled.
    if constexpr (kShifted) __asm__("" : "+r"(weights));
    unroll<kStride>([&](auto s) {
      feed(x + s * strip.column_step, Index<kKernel - kStride + s>{},
           [&](const TapSums& column) __attribute__((always_inline)) {
             if constexpr (s < kStride - 1) {
               sums.add(column);
             } else {
               sums.subtract(column, zero_points, acc[0]);
             }
           });
    });
    finish(strip, constants, acc[0], vector, y);
    unroll<(kInFlight - 1) * 4>([&](auto i) { acc[i / 4][i % 4] = acc[i / 4 + 1][i % 4]; });
    unroll<4>([&](auto j) { acc[kInFlight - 1][j] = constants.bias[j]; });
  }
}

/// Adds the products of kernel columns [begin, end) of any kernel, and the rows of kSums to `sums`; visit(v,
/// kh) sees each group of rows.
template <Sums kSums, class Taps, class Visit>
inline void multiply_columns(const Strip& strip, const Taps& taps, const uint8_t* x, int32_t begin,
                             int32_t end, __m512i (&acc)[4], TapSums& sums, const Visit& visit) {
  const ptrdiff_t row_step = strip.row_step;
  const int32_t groups = (strip.kernel_h + 3) / 4;
  const uint8_t* weights =
      strip.block + dwconv_head_bytes(kDwconvS8Avx512VnniFormat) + ptrdiff_t{256} * groups * begin;
  for (int32_t kw = begin; kw < end; kw++) {
    const uint8_t* column = x + kw * strip.column_step;
    FirstRows before;
    for (int32_t kh = 0; kh < strip.kernel_h; kh += 4, column += 4 * row_step, weights += 256) {
      __m512i v[4];
      switch (strip.kernel_h - kh) {
        case 1:
          interleave<1, summed_pairs(kSums, 1, 0)>(taps, column, row_step, v, before, sums);
          break;
        case 2:
          interleave<2, summed_pairs(kSums, 2, 0)>(taps, column, row_step, v, before, sums);
          break;
        case 3:
          interleave<3, summed_pairs(kSums, 3, 0)>(taps, column, row_step, v, before, sums);
          break;
        case 5:
          interleave<4, summed_pairs(kSums, 5, 0)>(taps, column, row_step, v, before, sums);
          break;
        default:
          interleave<4, summed_pairs(kSums, 4, 0)>(taps, column, row_step, v, before, sums);
          break;
      }
      unroll<4>([&](auto j) { acc[j] = _mm512_dpbusd_epi32(acc[j], v[j], load(weights + j * 64)); });
      visit(v, kh);
    }
  }
}

/// Any kernel: no column is shared.
template <Sums kSums, class Taps>
void run_any_strip(const Strip& shared, const uint8_t* x, int8_t* y) {
  const Strip strip = shared;
  const Constants constants(strip.block);
  const Taps taps(strip);
  const ZeroPoints zero_points = *strip.zero_points;
  for (int64_t vector = 0; vector < strip.vectors; vector++, x += strip.x_step, y += strip.y_step) {
    __m512i acc[4], sums[4];
    unroll<4>([&](auto j) { acc[j] = constants.bias[j]; });
    unroll<4>([&](auto j) { sums[j] = _mm512_setzero_si512(); });
    int32_t summed = 0;
    TapSums unused;
    multiply_columns<Sums::kNone>(
        strip, taps, x, 0, strip.kernel_w, acc, unused, [&](const __m512i(&v)[4], int32_t kh) {
          if constexpr (kSums == Sums::kNone) return;
          const __m512i ones = ones_of(summed_pairs(kSums, strip.kernel_h, kh), strip.kernel_h - kh);
          unroll<4>([&](auto j) { sums[j] = _mm512_dpbusd_epi32(sums[j], v[j], ones); });
          summed += 4;
          if (summed < kMostTaps) return;
          zero_points.subtract(sums, acc);
          unroll<4>([&](auto j) { sums[j] = _mm512_setzero_si512(); });
          summed = 0;
        });
    if constexpr (kSums != Sums::kNone) zero_points.subtract(sums, acc);
    finish(strip, constants, acc, vector, y);
  }
}

/// As run_any_strip for windows a column apart (fits_sliding_sums): the sums of columns are shared.
template <Sums kSums>
void run_sliding_strip(const Strip& shared, const uint8_t* x, int8_t* y) {
  const Strip strip = shared;
  const Constants constants(strip.block);
  const Neighbours taps(strip);
  const ZeroPoints& zero_points = *strip.zero_points;
  ColumnSums::Memory memory;
  const int32_t steps = strip.kernel_w - 1;
  ColumnSums sums(memory, steps);
  const auto ignore = [](const __m512i(&)[4], int32_t) {};
  for (int32_t tap = 0; tap < steps; tap++) {
    __m512i unused[4] = {};
    TapSums column;
    multiply_columns<kSums>(strip, taps, x, tap, tap + 1, unused, column, ignore);
    sums.begin(tap, column);
  }
  for (int64_t vector = 0; vector < strip.vectors; vector++, x += strip.x_step, y += strip.y_step) {
    __m512i acc[4];
    unroll<4>([&](auto j) { acc[j] = constants.bias[j]; });
    TapSums column;
    multiply_columns<Sums::kNone>(strip, taps, x, 0, steps, acc, column, ignore);
    multiply_columns<kSums>(strip, taps, x, steps, steps + 1, acc, column, ignore);
    sums.subtract(column, zero_points, acc);
    finish(strip, constants, acc, vector, y);
  }
}

/// Whether run_sliding_strip has room for the columns of a window and 16 bits for their sum.
bool fits_sliding_sums(int32_t kernel_h, int32_t kernel_w) {
  return kernel_w > 1 && kernel_w <= ColumnSums::Memory::kMostSteps + 1 && kernel_h * kernel_w <= kMostTaps;
}

using RunStrip = void (*)(const Strip& strip, const uint8_t* x, int8_t* y);

/// `columns`: from one vector to the next, 0 when that is no whole number of taps.
template <Sums kSums>
RunStrip choose_strip(int32_t kernel_h, int32_t kernel_w, int32_t columns) {
  switch (kernel_h == kernel_w ? kernel_h : 0) {
    case 3:
      return columns == 1   ? run_strip<kSums, 3, 1>
             : columns == 2 ? run_strip<kSums, 3, 2>
                            : run_strip<kSums, 3, 3>;
    case 5:
      return columns == 1   ? run_strip<kSums, 5, 1>
             : columns == 2 ? run_strip<kSums, 5, 2>
                            : run_strip<kSums, 5, 5>;
    default:
      if constexpr (kSums != Sums::kNone)
        if (columns == 1 && fits_sliding_sums(kernel_h, kernel_w)) return run_sliding_strip<kSums>;
      return run_any_strip<kSums, Neighbours>;
  }
}

/// As choose_strip where a vector holds several pixels of stride 2.
template <Sums kSums>
RunStrip choose_strided_strip(int32_t kernel_h, int32_t kernel_w) {
  return kernel_h == 3 && kernel_w == 3 ? run_strip<kSums, 3, 3, EverySecond>
                                        : run_any_strip<kSums, EverySecond>;
}

}  // namespace

void dwconv_s8_avx512vnni(const DwconvS8Shape& shape, const DwconvS8Args& args, const Tile& tile) {
  const WindowShape& w = shape.window;
  const int32_t channels = shape.channels;
  const size_t block_bytes = dwconv_block_bytes(kDwconvS8Avx512VnniFormat, w);
  uint8_t* band = static_cast<uint8_t*>(args.scratch);
  const ToU8 convert = {static_cast<uint8_t>(args.x_zero_point + 128)};
  // Few channels: several pixels lie in one vector, where the output is dense.
  const int32_t step = band_step_w(w);
  const bool several = 64 % channels == 0 && args.y_stride == channels &&
                       (step == 1 || (step == 2 && channels % 4 == 0 && channels < 64));
  const int32_t pixels = several ? 64 / channels : 1;
  const int32_t x_pixels = pixels * step;
  const auto choose = [&](auto sums) {
    constexpr Sums kSums = static_cast<Sums>(static_cast<int>(sums));
    return several && step == 2
               ? choose_strided_strip<kSums>(w.kernel_h, w.kernel_w)
               : choose_strip<kSums>(w.kernel_h, w.kernel_w, w.dilation_w == 1 ? x_pixels : 0);
  };
  const RunStrip run_symmetric = choose(Index<0>{}), run_single = choose(Index<1>{}),
                 run_all = choose(Index<2>{});
  ZeroPoints zero_points;
  Strip strip = {nullptr,
                 w.kernel_h,
                 w.kernel_w,
                 0,
                 static_cast<ptrdiff_t>(w.dilation_w) * channels,
                 static_cast<ptrdiff_t>(x_pixels) * channels,
                 pixels * args.y_stride,
                 0,
                 channels,
                 64,
                 64,
                 Requantizer(args.range),
                 &zero_points};
  const int64_t begin = tile.begin * w.out_w, end = tile.end * w.out_w;
  for_each_rectangle(w, channels, begin, end, [&](const Rectangle& r) {
    fill_band(w, channels, r, args.x, args.x_stride, band, convert);
    const int32_t columns = r.x_end - r.x_begin;
    const int64_t row_bytes = band_columns(w, columns) * channels;
    strip.row_step = row_bytes * w.dilation_h;
    strip.vectors = (columns + pixels - 1) / pixels;
    strip.block = static_cast<const uint8_t*>(args.packed);
    for (int32_t channel = 0; channel < channels; channel += 64, strip.block += block_bytes) {
      const int32_t here = channels - channel < 64 ? channels - channel : 64;
      strip.bytes = here * pixels;
      strip.last_bytes = here * (columns - static_cast<int32_t>(strip.vectors - 1) * pixels);
      uint16_t traits;
      memcpy(&traits, strip.block + 640, sizeof(traits));
      const bool shifted = (traits & kPackedShifted) != 0;
      const RunStrip run = !shifted ? run_symmetric : (traits & kPackedWide) != 0 ? run_all : run_single;
      if (shifted) zero_points.load(strip.block);
      const uint8_t* x = band + channel;
      for (int32_t y = r.y_begin; y < r.y_end; y++, x += row_bytes * band_step_h(w)) {
        const int64_t pixel = (r.image * w.out_h + y) * w.out_w + r.x_begin;
        run(strip, x, args.y + pixel * args.y_stride + channel);
      }
    }
  });
}

}  // namespace hone
