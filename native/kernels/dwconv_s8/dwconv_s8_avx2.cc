#include <cstring>

#include "native/kernels/dwconv_s8/dwconv_s8_rows.h"
#include "native/kernels/gemm_s8_avx2.h"
#include "native/kernels/window_band.h"

// 16 channels at a time: bytes of two kernel rows are interleaved and widened, so that every dword holds one
// channel's two vertical taps as int16 and vpmaddwd sums them exactly. An interleaved column serves all the
// windows it lies in.
namespace hone {
namespace {

/// Fills a band with the bytes as they are.
struct ToS8 {
  int8_t zero_point;

  void fill(int8_t* to, int64_t count) const { memset(to, zero_point, static_cast<size_t>(count)); }
  void copy(int8_t* to, const int8_t* from, int64_t count) const {
    memcpy(to, from, static_cast<size_t>(count));
  }
};

/// One output row by one block. A vector is 16 channels of a pixel or, when fewer channels fill 16 bytes,
/// several pixels.
struct Strip {
  const uint8_t* block;
  int32_t kernel_h, kernel_w;
  ptrdiff_t row_step, column_step;  ///< bytes from one tap to the next
  ptrdiff_t x_step, y_step;         ///< bytes from one vector to the next
  int64_t vectors;
  int32_t bytes, last_bytes;  ///< bytes that a vector holds, and the last one
  Requantizer requantizer;
};

/// Interleaves two kernel rows, or one with zero: v[0] holds channels 0..7, v[1] channels 8..15, two taps
/// each.
template <bool kTwo>
inline void interleave(const int8_t* x, ptrdiff_t row_step, __m256i (&v)[2]) {
  const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x));
  const __m128i b =
      kTwo ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + row_step)) : _mm_setzero_si128();
  v[0] = _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(a, b));
  v[1] = _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(a, b));
}

inline void finish(const Strip& strip, const __m256i (&acc)[2], int64_t vector, int8_t* y) {
  __m256i q[2];
  unroll<2>([&](auto j) {
    q[j] = strip.requantizer.round(acc[j], _mm256_castsi256_ps(load(strip.block + 64 + j * 32)));
  });
  store_bytes(y, strip.requantizer.narrow(q[0], q[1]),
              vector + 1 == strip.vectors ? strip.last_bytes : strip.bytes);
}

/// kStride: columns from one vector to the next (x_step = kStride * column_step), or kKernel when they share
/// none.
template <int kKernel, int kStride>
void run_strip(const Strip& shared, const int8_t* x, int8_t* y) {
  const Strip strip = shared;  // the compiler must see that stores to y do not change it
  constexpr int kGroups = (kKernel + 1) / 2;
  constexpr int kInFlight = (kKernel - 1) / kStride + 1;  // vectors that a column takes part in
  const uint8_t* weights = strip.block + 128;
  __m256i acc[kInFlight][2];
  // Adds a column that is tap kTap of acc[0], tap kTap - kStride of acc[1], and so on.
  const auto feed = [&](const int8_t* column, auto tap) __attribute__((always_inline)) {
    unroll<kGroups>([&](auto group) {
      __m256i v[2];
      interleave<(kKernel - 2 * group > 1)>(column + 2 * group * strip.row_step, strip.row_step, v);
      unroll<2>([&](auto j) {
        unroll<kInFlight>([&](auto t) {
          constexpr int kTap = tap - kStride * t;
          if constexpr (kTap >= 0) {
            const __m256i w = load(weights + ((kTap * kGroups + group) * 2 + j) * 32);
            acc[t][j] = _mm256_add_epi32(acc[t][j], _mm256_madd_epi16(v[j], w));
          }
        });
      });
    });
  };
  unroll<kInFlight * 2>([&](auto i) { acc[i / 2][i % 2] = load(strip.block + i % 2 * 32); });
  unroll<kKernel - kStride>([&](auto tap) { feed(x + tap * strip.column_step, tap); });
  x += (kKernel - kStride) * strip.column_step;
  for (int64_t vector = 0; vector < strip.vectors; vector++, x += strip.x_step, y += strip.y_step) {
    unroll<kStride>([&](auto s) { feed(x + s * strip.column_step, Index<kKernel - kStride + s>{}); });
    finish(strip, acc[0], vector, y);
    unroll<(kInFlight - 1) * 2>([&](auto i) { acc[i / 2][i % 2] = acc[i / 2 + 1][i % 2]; });
    unroll<2>([&](auto j) { acc[kInFlight - 1][j] = load(strip.block + j * 32); });
  }
}

/// Any kernel: no column is shared.
void run_any_strip(const Strip& shared, const int8_t* x, int8_t* y) {
  const Strip strip = shared;
  for (int64_t vector = 0; vector < strip.vectors; vector++, x += strip.x_step, y += strip.y_step) {
    __m256i acc[2] = {load(strip.block), load(strip.block + 32)};
    const uint8_t* weights = strip.block + 128;
    for (int32_t kw = 0; kw < strip.kernel_w; kw++) {
      const int8_t* column = x + kw * strip.column_step;
      for (int32_t kh = 0; kh < strip.kernel_h; kh += 2, column += 2 * strip.row_step, weights += 64) {
        __m256i v[2];
        if (strip.kernel_h - kh > 1) {
          interleave<true>(column, strip.row_step, v);
        } else {
          interleave<false>(column, strip.row_step, v);
        }
        acc[0] = _mm256_add_epi32(acc[0], _mm256_madd_epi16(v[0], load(weights)));
        acc[1] = _mm256_add_epi32(acc[1], _mm256_madd_epi16(v[1], load(weights + 32)));
      }
    }
    finish(strip, acc, vector, y);
  }
}

using RunStrip = void (*)(const Strip& strip, const int8_t* x, int8_t* y);

/// `columns`: from one vector to the next, 0 when that is no whole number of taps.
RunStrip choose_strip(int32_t kernel_h, int32_t kernel_w, int32_t columns) {
  if (kernel_h != kernel_w) return run_any_strip;
  switch (kernel_h) {
    case 3:
      return columns == 1 ? run_strip<3, 1> : columns == 2 ? run_strip<3, 2> : run_strip<3, 3>;
    case 5:
      return columns == 1 ? run_strip<5, 1> : columns == 2 ? run_strip<5, 2> : run_strip<5, 5>;
    default:
      return run_any_strip;
  }
}

}  // namespace

void dwconv_s8_avx2(const DwconvS8Shape& shape, const DwconvS8Args& args, const Tile& tile) {
  const WindowShape& w = shape.window;
  const int32_t channels = shape.channels;
  const size_t block_bytes = dwconv_block_bytes(kDwconvS8Avx2Format, w);
  int8_t* band = static_cast<int8_t*>(args.scratch);
  const ToS8 convert = {static_cast<int8_t>(args.x_zero_point)};
  // Few channels: neighbouring pixels lie in one vector, where both input and output are dense.
  const bool several = 16 % channels == 0 && band_step_w(w) == 1 && args.y_stride == channels;
  const int32_t pixels = several ? 16 / channels : 1;
  const int32_t x_pixels = pixels * band_step_w(w);
  const RunStrip run = choose_strip(w.kernel_h, w.kernel_w, w.dilation_w == 1 ? x_pixels : 0);
  Strip strip = {nullptr,
                 w.kernel_h,
                 w.kernel_w,
                 0,
                 static_cast<ptrdiff_t>(w.dilation_w) * channels,
                 static_cast<ptrdiff_t>(x_pixels) * channels,
                 pixels * args.y_stride,
                 0,
                 16,
                 16,
                 Requantizer(args.range)};
  const int64_t begin = tile.begin * w.out_w, end = tile.end * w.out_w;
  for_each_rectangle(w, channels, begin, end, [&](const Rectangle& r) {
    fill_band(w, channels, r, args.x, args.x_stride, band, convert);
    const int32_t columns = r.x_end - r.x_begin;
    const int64_t row_bytes = band_columns(w, columns) * channels;
    strip.row_step = row_bytes * w.dilation_h;
    strip.vectors = (columns + pixels - 1) / pixels;
    strip.block = static_cast<const uint8_t*>(args.packed);
    for (int32_t channel = 0; channel < channels; channel += 16, strip.block += block_bytes) {
      const int32_t here = channels - channel < 16 ? channels - channel : 16;
      strip.bytes = here * pixels;
      strip.last_bytes = here * (columns - static_cast<int32_t>(strip.vectors - 1) * pixels);
      const int8_t* x = band + channel;
      for (int32_t y = r.y_begin; y < r.y_end; y++, x += row_bytes * band_step_h(w)) {
        const int64_t pixel = (r.image * w.out_h + y) * w.out_w + r.x_begin;
        run(strip, x, args.y + pixel * args.y_stride + channel);
      }
    }
  });
}

}  // namespace hone
