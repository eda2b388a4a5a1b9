#include <cstring>

#include "native/kernels/dwconv_s8/dwconv_s8_neon_scratch.h"
#include "native/kernels/dwconv_s8/dwconv_s8_rows.h"
#include "native/kernels/gemm_pack.h"
#include "native/kernels/window_band.h"

namespace hone {
namespace {

bool fits_any(const DwconvS8Shape&) { return true; }

/// Interleaving three rows for sdot pays where each column serves several windows; elsewhere plain NEON needs
/// fewer instructions.
[[maybe_unused]] bool fits_sliding(const DwconvS8Shape& shape) {
  const WindowShape& w = shape.window;
  return w.kernel_h == 3 && w.kernel_w == 3 && w.dilation_w == 1 && w.stride_w <= 2;
}

/// Up to 16 channels fill a quarter of a 64-byte vector, and only some of them leave room
/// for several pixels of a wider stride.
[[maybe_unused]] bool fits_wide(const DwconvS8Shape& shape) {
  const int32_t channels = shape.channels, stride = shape.window.stride_w;
  return channels > 16 || stride == 1 || (stride == 2 && (channels == 4 || channels == 8 || channels == 16));
}

template <const DwconvFormat& kFormat>
size_t packed_bytes(const DwconvS8Shape& shape) {
  return static_cast<size_t>((shape.channels + kFormat.block - 1) / kFormat.block) *
         dwconv_block_bytes(kFormat, shape.window);
}

/// Channel of a block that lies at `position`.
int32_t channel_at(const DwconvFormat& format, int32_t position) {
  if (!format.unpacked_order) return position;
  const int32_t vector = position / 16, lane = position % 16;
  return lane / 4 * 16 + vector * 4 + lane % 4;
}

/// The channel whose weights lie at a position of the block that begins with channel `first`, or -1.
int32_t channel_at(const DwconvFormat& format, int32_t channels, int32_t first, int32_t position) {
  int32_t channel = first + channel_at(format, position);
  if (format.repeated && format.block % channels == 0) channel %= channels;
  return channel < channels ? channel : -1;
}

/// One channel to pack.
struct Channel {
  const int8_t* weights;
  int32_t kernel_h, kernel_w;
  ptrdiff_t step;  ///< from one weight to the next
  int32_t zero_point;

  int32_t taps() const { return kernel_h * kernel_w; }
  int32_t weight(int32_t kh, int32_t kw) const { return weights[(kh * kernel_w + kw) * step]; }
  int32_t difference(int32_t kh, int32_t kw) const { return weight(kh, kw) - zero_point; }
  bool fits(const DwconvFormat& format) const {
    return format.element_bytes > 1 || fits_folded(weights, taps(), step, zero_point);
  }
  /// Whether the channel has a zero point that rows with a second place cannot have: its differences may be
  /// 255, which two int8 do not hold.
  bool is_wide(const DwconvFormat& format) const {
    return format.taps == 4 && zero_point == -128 && !fits(format);
  }
};

Channel channel_of(const DwconvS8Shape& shape, const DwconvS8Weights& weights, int32_t channel) {
  const int32_t zero_point = weights.zero_points == nullptr ? 0 : weights.zero_points[channel];
  return {weights.weights + channel, shape.window.kernel_h, shape.window.kernel_w, shape.channels,
          zero_point};
}

int32_t to_int8(int32_t value) { return value < -128 ? -128 : value > 127 ? 127 : value; }

template <const DwconvFormat& kFormat>
void pack(const DwconvS8Shape& shape, const DwconvS8Weights& weights, void* packed) {
  const WindowShape& w = shape.window;
  const size_t block_bytes = dwconv_block_bytes(kFormat, w);
  const int32_t column_groups = (w.kernel_h + kFormat.taps - 1) / kFormat.taps;
  memset(packed, 0, packed_bytes<kFormat>(shape));
  uint8_t* block = static_cast<uint8_t*>(packed);
  for (int32_t first = 0; first < shape.channels; first += kFormat.block, block += block_bytes) {
    uint8_t* elements = block + dwconv_head_bytes(kFormat);
    uint16_t traits = 0;
    for (int32_t position = 0; position < kFormat.block; position++) {
      const int32_t channel = channel_at(kFormat, shape.channels, first, position);
      if (channel >= 0 && channel_of(shape, weights, channel).is_wide(kFormat)) traits |= kPackedWide;
    }
    const bool twice = traits == 0;
    for (int32_t position = 0; position < kFormat.block; position++) {
      const int32_t channel = channel_at(kFormat, shape.channels, first, position);
      if (channel < 0) continue;
      const Channel own = channel_of(shape, weights, channel);
      const bool fits = own.fits(kFormat);
      int32_t left = 0;  // of the zero point
      uint32_t sum = 0;
      int64_t lowest = 0;  // weights of -128
      for (int32_t kh = 0; kh < w.kernel_h; kh++) {
        const int32_t second = fits || !twice ? -1 : dwconv_second_place(kFormat, w.kernel_h, kh);
        if (!fits && second < 0) left = own.zero_point;
        for (int32_t kw = 0; kw < w.kernel_w; kw++) {
          const auto put = [&](int32_t place, int32_t value) {
            const size_t group = static_cast<size_t>(kw) * column_groups + place / kFormat.taps;
            const size_t index = (group * kFormat.block + position) * kFormat.taps + place % kFormat.taps;
            if (kFormat.element_bytes == 1) {
              elements[index] = static_cast<uint8_t>(value);
            } else {
              const int16_t wide = static_cast<int16_t>(value);
              memcpy(elements + index * sizeof(wide), &wide, sizeof(wide));
            }
            lowest += value == -128;
          };
          const int32_t difference = own.difference(kh, kw);
          if (fits) {
            put(kh, difference);
          } else if (second < 0) {
            put(kh, own.weight(kh, kw));
          } else {
            put(kh, to_int8(difference));
            put(second, difference - to_int8(difference));
          }
          sum += static_cast<uint32_t>(difference);
        }
      }
      const uint32_t offset = static_cast<uint32_t>(weights.x_zero_point + kFormat.x_offset);
      const uint32_t bias = static_cast<uint32_t>(weights.bias[channel]) - offset * sum;
      memcpy(block + position * sizeof(bias), &bias, sizeof(bias));
      memcpy(block + (static_cast<size_t>(kFormat.block) + position) * sizeof(float),
             weights.multiplier + channel, sizeof(float));
      if (kFormat.element_bytes > 1) continue;
      const auto narrow = static_cast<int16_t>(left);
      memcpy(block + static_cast<size_t>(kFormat.block) * 8 + position * sizeof(narrow), &narrow,
             sizeof(narrow));
      if (narrow != 0) traits |= kPackedShifted;
      if (kFormat.taps == 1 && lowest > 1) traits |= kPackedWide;
    }
    if (kFormat.element_bytes == 1)
      memcpy(block + static_cast<size_t>(kFormat.block) * 10, &traits, sizeof(traits));
  }
}

[[maybe_unused]] size_t scratch_bytes(const DwconvS8Shape& shape) {
  return band_bytes(shape.window, shape.channels, 1);
}

size_t ref_packed_bytes(const DwconvS8Shape& shape) {
  return static_cast<size_t>(shape.channels) *
         (12 + static_cast<size_t>(shape.window.kernel_h) * shape.window.kernel_w);
}

void ref_pack(const DwconvS8Shape& shape, const DwconvS8Weights& weights, void* packed) {
  const size_t channels = shape.channels;
  int32_t* words = static_cast<int32_t*>(packed);
  memcpy(words, weights.bias, channels * sizeof(int32_t));
  memcpy(words + channels, weights.multiplier, channels * sizeof(float));
  for (size_t c = 0; c < channels; c++) {
    words[2 * channels + c] = weights.zero_points == nullptr ? 0 : weights.zero_points[c];
  }
  memcpy(words + 3 * channels, weights.weights, channels * shape.window.kernel_h * shape.window.kernel_w);
}

size_t no_scratch_bytes(const DwconvS8Shape&) { return 0; }

}  // namespace

const DwconvS8Row kDwconvS8Rows[] = {
#if defined(__x86_64__)
    {"dwconv_s8_avx512vnni",
     kCpuAvx512Vnni,
     fits_wide,
     {"columns_64x4_u8", 3},
     packed_bytes<kDwconvS8Avx512VnniFormat>,
     pack<kDwconvS8Avx512VnniFormat>,
     scratch_bytes,
     dwconv_s8_avx512vnni},
    {"dwconv_s8_avx2",
     kCpuAvx2,
     fits_any,
     {"columns_16x2_s16", 1},
     packed_bytes<kDwconvS8Avx2Format>,
     pack<kDwconvS8Avx2Format>,
     scratch_bytes,
     dwconv_s8_avx2},
#elif defined(__aarch64__)
    {"dwconv_s8_neon_i8mm",
     kCpuNeonI8mm,
     fits_sliding,
     {"columns_16x4_s8", 3},
     packed_bytes<kDwconvS8NeonDotprodFormat>,
     pack<kDwconvS8NeonDotprodFormat>,
     dwconv_s8_neon_scratch_bytes,
     dwconv_s8_neon_i8mm},
    {"dwconv_s8_neon_dotprod",
     kCpuNeonDotprod,
     fits_sliding,
     {"columns_16x4_s8", 3},
     packed_bytes<kDwconvS8NeonDotprodFormat>,
     pack<kDwconvS8NeonDotprodFormat>,
     dwconv_s8_neon_scratch_bytes,
     dwconv_s8_neon_dotprod},
    {"dwconv_s8_neon",
     kCpuNeon,
     fits_any,
     {"columns_16x1_s8", 2},
     packed_bytes<kDwconvS8NeonFormat>,
     pack<kDwconvS8NeonFormat>,
     dwconv_s8_neon_scratch_bytes,
     dwconv_s8_neon},
#endif
    {"dwconv_s8_ref",
     kCpuRef,
     fits_any,
     {"dwconv_s8_plain", 1},
     ref_packed_bytes,
     ref_pack,
     no_scratch_bytes,
     dwconv_s8_ref},
};
const int kDwconvS8RowCount = sizeof(kDwconvS8Rows) / sizeof(kDwconvS8Rows[0]);

}  // namespace hone
