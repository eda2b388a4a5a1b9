#pragma once
#include "native/kernels/gemm_s8_avx512vnni.h"

/// Micro-kernels for at most 8 output channels: half of each vector of run_panel would stay empty.
namespace hone {
namespace {

/// The words at `low` in lanes 0 to 7, those at `high` in lanes 8 to 15.
inline __m512i broadcast_halves(const uint8_t* low, const uint8_t* high) {
  int32_t word;
  memcpy(&word, high, sizeof(word));
  return _mm512_mask_set1_epi32(broadcast4(low), 0xFF00, word);
}

/// Stores 64 bytes that hold 8 channels for each of up to 8 pixels.
inline void store_paired(__m512i bytes, const Panel& panel, int8_t* y, int pixels) {
  if (panel.channels == 8 && panel.y_stride == 8) {
    _mm512_mask_storeu_epi8(y, low_bits(8 * pixels), bytes);
    return;
  }
  if (panel.channels == 4 && panel.y_stride == 4) {
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 0, 0, 0, 0, 0, 0, 0, 0);
    _mm512_mask_storeu_epi8(y, low_bits(4 * pixels), _mm512_permutexvar_epi32(even, bytes));
    return;
  }
  alignas(64) int8_t rows[64];
  _mm512_store_si512(rows, bytes);
  const __mmask16 mask = static_cast<__mmask16>(low_bits(panel.channels));
  for (int p = 0; p < pixels; p++) {
    const __m128i row = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows + 8 * p));
    _mm_mask_storeu_epi8(y + p * panel.y_stride, mask, row);
  }
}

/// As run_panel<1, kPixels>, without residual, for at most 8 channels, which the block holds twice
/// (conv_s8_doubles_channels): a vector then is two pixels.
template <int kPixels>
void run_paired(const Panel& panel, const uint8_t* a, int64_t pixel, int8_t* y) {
  constexpr int kPairs = (kPixels + 1) / 2;
  const ptrdiff_t step = panel.pixel_step;
  __m512i acc[kPairs];
  unroll<kPairs>([&](auto pair) { acc[pair] = _mm512_loadu_si512(panel.block); });
  const uint8_t* weights = panel.block + kHeadBytes;
  const uint8_t* row = a + pixel * step;
  for (int32_t kh = 0; kh < panel.rows; kh++, row += panel.row_step) {
    const uint8_t* run = row;
    for (int32_t kw = 0; kw < panel.columns; kw++, run += panel.column_step) {
      const uint8_t* bases[4] = {run, run + 4 * step, run + 8 * step, run + 12 * step};
      for (int64_t group = 0; group < panel.run_groups; group++, weights += 64) {
        const __m512i w = _mm512_loadu_si512(weights);
        unroll<kPairs>([&](auto pair) {
          constexpr int kLow = 2 * pair, kHigh = kLow + 1 < kPixels ? kLow + 1 : kLow;
          const uint8_t* base = bases[kLow / 4];
          acc[pair] = _mm512_dpbusd_epi32(
              acc[pair], broadcast_halves(base + kLow % 4 * step, base + kHigh % 4 * step), w);
        });
        unroll<(kPixels + 3) / 4>([&](auto i) { bases[i] += 4; });
      }
    }
  }
  if (panel.sums != nullptr) {
    const uint8_t* sums = panel.sums + pixel * panel.sum_step;
    const auto add_products = [&](auto add) {
      unroll<kPairs>([&](auto pair) { acc[pair] = add(acc[pair], sums + 2 * pair * panel.sum_step); });
    };
    const __m512i words = negate_words(panel.block);
    // The sums of a pair by one instruction, out of the 64 bytes that begin with the first.
    if (panel.word_sums && panel.sum_step < 64) {
      const __m512i zero = _mm512_setzero_si512();
      const __m512i index =
          _mm512_mask_set1_epi16(zero, 0xFFFF0000, static_cast<int16_t>(panel.sum_step / 2));
      add_products([&](__m512i sum, const uint8_t* from) {
        return _mm512_dpwssd_epi32(sum, _mm512_permutexvar_epi16(index, _mm512_loadu_si512(from)), words);
      });
    } else {
      const __m512i negative = panel.small_sums ? words : negate_zero_points(panel.block);
      add_products([&](__m512i sum, const uint8_t* from) {
        const __m512i both =
            _mm512_mask_mov_epi32(broadcast4(from), 0xFF00, broadcast4(from + panel.sum_step));
        return panel.small_sums ? _mm512_dpwssd_epi32(sum, both, negative)
                                : _mm512_add_epi32(sum, _mm512_mullo_epi32(negative, both));
      });
    }
  }
  const __m512 multiplier = _mm512_loadu_ps(panel.block + 64);
  unroll<(kPairs + 3) / 4>([&](auto piece) {
    constexpr int kFirst = 4 * piece, kCount = kPairs - kFirst < 4 ? kPairs - kFirst : 4;
    constexpr int kPiece = kPixels - 2 * kFirst < 8 ? kPixels - 2 * kFirst : 8;
    __m512i q[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                    _mm512_setzero_si512()};
    unroll<kCount>([&](auto i) { q[i] = panel.requantizer.round(acc[kFirst + i], multiplier); });
    store_paired(panel.requantizer.narrow_in_order(q[0], q[1], q[2], q[3]), panel,
                 y + (pixel + 2 * kFirst) * panel.y_stride, kPiece);
  });
}

/// Micro-kernels for pairs by number of pixels, 1 first.
struct PairedTable {
  RunPanel run[16];
  constexpr PairedTable() : run() {
    unroll<16>([this](auto i) { run[i] = run_paired<i + 1>; });
  }
};
/// All pixels of a block whose channels are there twice.
inline void run_paired_pixels(const Panel& panel, const uint8_t* a, int64_t pixels, int8_t* y) {
  static constexpr PairedTable kTable{};
  int64_t pieces = (pixels + 15) / 16;
  for (int64_t pixel = 0; pixel < pixels; pieces--) {
    const int64_t count = (pixels - pixel + pieces - 1) / pieces;
    kTable.run[count - 1](panel, a, pixel, y);
    pixel += count;
  }
}

}  // namespace
}  // namespace hone
