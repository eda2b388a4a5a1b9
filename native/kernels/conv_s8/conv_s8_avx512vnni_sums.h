#pragma once
#include "native/kernels/conv_s8/conv_s8_rows.h"
#include "native/kernels/gemm_s8_avx512vnni.h"
#include "native/kernels/window_band.h"

/// Sums of the windows of a convolution, by which zero points of its weights are multiplied.
namespace hone {
namespace {

/// How windows are summed. A window that slides over few channels has much in common with its neighbours: its
/// sums come from lines of int32 that hold the sum of the window that begins there, built up over kernel
/// rows, then kernel columns, then channels, for all groups at once. Deep windows are summed one by one.
enum class SumMode {
  kDirect,
  kQuads,  ///< an element of a line is four channels
  kWords,  ///< an element is one channel and has 16 bits
};

/// Elements of sums that there is room for, those behind a line included that vectors write and read, and how
/// many more are read behind the last sum.
constexpr int32_t kMostSums = 4096, kSumSlack = 48, kReadBehind = 32;

struct WindowSums {
  WindowShape window;
  int32_t channels, group_channels;
  SumMode mode;
  int32_t unit;  ///< bytes of an element

  WindowSums(const WindowShape& w, const ConvS8Shape& shape)
      : window(w), channels(shape.in_channels), group_channels(shape.in_channels / shape.groups) {
    const int32_t quads = group_channels / 4;
    const bool power = (quads & (quads - 1)) == 0;
    if (group_channels % 4 == 0 && quads <= (power && shape.groups > 1 ? 16 : 8)) {
      mode = SumMode::kQuads;
    } else if (group_channels < 8 && conv_s8_depth(shape) <= kMostSmallDepth) {
      mode = SumMode::kWords;
    } else {
      mode = SumMode::kDirect;
    }
    unit = mode == SumMode::kQuads ? 4 : 1;
    const int32_t few = w.out_w < 48 ? w.out_w : 48;
    if (line_length(few) > kMostSums) mode = SumMode::kDirect;
  }

  int32_t element_bytes() const { return mode == SumMode::kWords ? 2 : 4; }
  /// Bytes from the sum of one output pixel to that of the next.
  int32_t step() const {
    return mode == SumMode::kDirect ? 4 : band_step_w(window) * channels / unit * element_bytes();
  }
  /// Bytes from the sums of one group to those of the next.
  int32_t group_step() const {
    return mode == SumMode::kDirect ? 0 : group_channels / unit * element_bytes();
  }
  /// Elements for the windows of so many pixels of an output row.
  int64_t line_length(int64_t pixels) const {
    if (mode == SumMode::kDirect) return pixels + 3;  // they are written in fours
    return (band_columns(window, pixels) * channels / unit + kSumSlack + 15) / 16 * 16;
  }
  /// Pixels of an output row whose line there is room for: all, or a whole number of micro-kernels.
  int32_t most_pixels(int32_t pixels) const {
    while (line_length(pixels) > kMostSums) pixels = (pixels / 2 + 47) / 48 * 48;
    return pixels;
  }

  /// The lines of `rows` output rows of `pixels` neighbouring pixels: the first window begins at x, those of
  /// the next output row out_row_step bytes behind. Each step is taken for all rows, because what was just
  /// written cannot be read shifted at once.
  void fill(const uint8_t* x, ptrdiff_t row_step, ptrdiff_t out_row_step, int64_t pixels, int32_t rows,
            int32_t* lines) const {
    const int64_t bytes = band_columns(window, pixels) * channels, length = line_length(pixels);
    const int64_t last = (rows - 1) * length;  // where the last line begins
    const int32_t column_step = window.dilation_w * channels / unit;
    if (mode == SumMode::kQuads) {
      const int32_t quads = group_channels / 4, joined = (quads & (quads - 1)) == 0 ? quads : 1;
      const auto fill_lines = [&](auto known) {
        for (int32_t row = 0; row < rows; row++)
          for (int64_t i = 0; 4 * i < bytes; i += 16)
            _mm512_storeu_si512(lines + row * length + i,
                                sum_quads<known>(x + row * out_row_step + 4 * i, row_step));
      };
      joined == 1   ? fill_lines(Index<1>{})
      : joined == 2 ? fill_lines(Index<2>{})
      : joined == 4 ? fill_lines(Index<4>{})
      : joined == 8 ? fill_lines(Index<8>{})
                    : fill_lines(Index<16>{});
      const auto add = [](__m512i a, __m512i b) { return _mm512_add_epi32(a, b); };
      join_neighbours<16>(lines, last + bytes / 4, column_step, window.kernel_w, add);
      if (joined < quads) join_neighbours<16>(lines, last + bytes / 4, 1, quads, add);
      return;
    }
    auto* words = reinterpret_cast<uint16_t*>(lines);
    for (int32_t row = 0; row < rows; row++, x += out_row_step)
      for (int64_t i = 0; i < bytes; i += 32)
        _mm512_storeu_si512(words + row * length + i, sum_bytes(x + i, row_step));
    const auto add = [](__m512i a, __m512i b) { return _mm512_add_epi16(a, b); };
    join_neighbours<32>(words, last + bytes, column_step, window.kernel_w, add);
    join_neighbours<32>(words, last + bytes, 1, group_channels, add);
  }

 private:
  /// Sums over kernel rows of 16 times four channels, each the sum of kJoined neighbours.
  template <int kJoined>
  __m512i sum_quads(const uint8_t* x, ptrdiff_t row_step) const {
    const __m512i ones = _mm512_set1_epi8(1);
    __m512i sum = _mm512_setzero_si512();
    for (int32_t kh = 0; kh < window.kernel_h; kh++)
      sum = _mm512_dpbusd_epi32(sum, _mm512_loadu_si512(x + kh * row_step), ones);
    // Within four dwords a shuffle of bytes is the cheaper.
    const auto add_bytes = [&](int bytes) {
      const __m512i places = _mm512_set4_epi32(0x0F0E0D0C, 0x0B0A0908, 0x07060504, 0x03020100);
      const __m512i partner = _mm512_xor_si512(places, _mm512_set1_epi8(static_cast<char>(bytes)));
      sum = _mm512_add_epi32(sum, _mm512_shuffle_epi8(sum, partner));
    };
    const auto add_dwords = [&](int dwords) {
      const __m512i places = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
      const __m512i partner = _mm512_xor_si512(places, _mm512_set1_epi32(dwords));
      sum = _mm512_add_epi32(sum, _mm512_permutexvar_epi32(partner, sum));
    };
    if constexpr (kJoined > 1) add_bytes(4);
    if constexpr (kJoined > 2) add_bytes(8);
    if constexpr (kJoined > 4) add_dwords(4);
    if constexpr (kJoined > 8) add_dwords(8);
    return sum;
  }

  /// Sums over kernel rows of 32 channels, in 16 bits.
  __m512i sum_bytes(const uint8_t* x, ptrdiff_t row_step) const {
    __m512i sum = _mm512_setzero_si512();
    for (int32_t kh = 0; kh < window.kernel_h; kh++) {
      const __m256i some = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + kh * row_step));
      sum = _mm512_add_epi16(sum, _mm512_cvtepu8_epi16(some));
    }
    return sum;
  }

  /// line[i] becomes the sum of `count` elements from i on that lie `step` apart, for all of `length` behind
  /// which there is enough of the line.
  template <int kElements, typename Element, typename Add>
  static void join_neighbours(Element* line, int64_t length, int32_t step, int32_t count, const Add& add) {
    const auto join = [&](int64_t end, int32_t distance, auto times) {
      for (int64_t i = 0; i < end; i += kElements) {
        __m512i sum = _mm512_loadu_si512(line + i);
        for (int32_t k = 1; k < times; k++) sum = add(sum, _mm512_loadu_si512(line + i + k * distance));
        _mm512_storeu_si512(line + i, sum);
      }
    };
    const int64_t end = length - int64_t{step} * (count - 1);
    if (count == 3) return join(end, step, Index<3>{});
    if (count == 5) return join(end, step, Index<5>{});
    if ((count & (count - 1)) != 0) return join(end, step, count);
    for (int32_t joined = 1; joined < count; joined *= 2)
      join(length - int64_t{step} * (2 * joined - 1), step * joined, Index<2>{});
  }
};

}  // namespace
}  // namespace hone
