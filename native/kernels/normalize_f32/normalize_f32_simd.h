#pragma once
#include "native/kernels/normalize_f32/normalize_f32.h"
#include "native/kernels/partials.h"
#include "native/kernels/row_parts.h"

namespace hone {
namespace {

/// Totals of kVectors registers of columns from x on, as the header defines them; load_at(row, j) loads
/// register j.
template <int kVectors, typename Load, typename Of>
inline void sum_columns(VecF (&totals)[kVectors], const float* x, const NormalizeF32Args& args,
                        const Load& load_at, const Of& of) {
  if (args.length == 1) {
    for (int j = 0; j < kVectors; j++) totals[j] = add(splat(0.0f), of(load_at(x, j), j));
    return;
  }
  for (int j = 0; j < kVectors; j++) totals[j] = splat(0.0f);
  for (int64_t begin = 0; begin < args.length; begin += kNormalizeBlock) {
    const int64_t end = begin + kNormalizeBlock < args.length ? begin + kNormalizeBlock : args.length;
    VecF partials[kVectors];
    for (int j = 0; j < kVectors; j++) partials[j] = splat(0.0f);
    for (int64_t i = begin; i < end; i++)
      for (int j = 0; j < kVectors; j++)
        partials[j] = add(partials[j], of(load_at(x + i * args.x_stride, j), j));
    for (int j = 0; j < kVectors; j++) totals[j] = add(totals[j], partials[j]);
  }
}

inline VecF find_factor(VecF squares, VecF count, float epsilon) {
  return divide(splat(1.0f), square_root(add(divide(squares, count), splat(epsilon))));
}

/// y of one register of channels; load_channel(p) loads their scale or bias.
template <typename Load>
inline VecF scale_and_shift(VecF v, const float* scale, const float* bias, const Load& load_channel) {
  if (scale != nullptr) v = multiply(v, load_channel(scale));
  if (bias != nullptr) v = add(v, load_channel(bias));
  return v;
}

// --- groups of one channel: a lane for each

template <int kVectors, typename Load, typename Store>
inline void normalize_channels(float* y, const float* x, int64_t channel, const NormalizeF32Args& args,
                               const Load& load_at, const Store& store_at) {
  const VecF count = splat(static_cast<float>(args.length));
  VecF mean[kVectors], factor[kVectors];
  for (int j = 0; j < kVectors; j++) mean[j] = splat(0.0f);
  if (args.centered) {
    sum_columns<kVectors>(mean, x, args, load_at, [](VecF v, int) { return v; });
    for (int j = 0; j < kVectors; j++) mean[j] = divide(mean[j], count);
  }
  sum_columns<kVectors>(factor, x, args, load_at, [&mean](VecF v, int j) {
    const VecF d = subtract(v, mean[j]);
    return multiply(d, d);
  });
  for (int j = 0; j < kVectors; j++) factor[j] = find_factor(factor[j], count, args.epsilon);
  const float* scale = args.scale == nullptr ? nullptr : args.scale + channel;
  const float* bias = args.bias == nullptr ? nullptr : args.bias + channel;
  for (int64_t i = 0; i < args.length; i++)
    for (int j = 0; j < kVectors; j++) {
      const VecF v = multiply(subtract(load_at(x + i * args.x_stride, j), mean[j]), factor[j]);
      const auto load_channel = [&](const float* p) { return load_at(p, j); };
      store_at(y + i * args.y_stride, j, scale_and_shift(v, scale, bias, load_channel));
    }
}

template <int kVectors>
inline void normalize_whole(float* y, const float* x, int64_t channel, const NormalizeF32Args& args) {
  normalize_channels<kVectors>(
      y, x, channel, args, [](const float* p, int j) { return load(p + j * kLanes); },
      [](float* p, int j, VecF v) { store(p + j * kLanes, v); });
}

/// Channels channel ... channel + count of one outer index; x and y begin at the first.
inline void normalize_run(float* y, const float* x, int64_t channel, int64_t count,
                          const NormalizeF32Args& args) {
  int64_t c = 0;
  for (; c + 4 * kLanes <= count; c += 4 * kLanes) normalize_whole<4>(y + c, x + c, channel + c, args);
  for (; c + kLanes <= count; c += kLanes) normalize_whole<1>(y + c, x + c, channel + c, args);
  if (c == count) return;
  const int left = static_cast<int>(count - c);
  normalize_channels<1>(
      y + c, x + c, channel + c, args, [left](const float* p, int) { return load_first(p, left); },
      [left](float* p, int, VecF v) { store_first(p, v, left); });
}

// --- wider groups, one after the other

/// Sum of of(x) over the columns and rows of a group that begins at x.
template <typename Of>
inline float sum_group(const float* x, const NormalizeF32Args& args, const Of& of) {
  constexpr int64_t kBlock = 16 * kNormalizeBlock;
  const auto of_register = [&of](VecF v, int) { return of(v); };
  F32x16 totals = splat_f32x16(0.0f);
  for (int64_t block = 0; block < args.width; block += kBlock) {
    const int64_t end = block + kBlock < args.width ? block + kBlock : args.width;
    F32x16 partials = splat_f32x16(0.0f);
    int64_t w = block;
    for (; w + 16 <= end; w += 16) {
      F32x16 columns;
      sum_columns<kParts>(
          columns.v, x + w, args, [](const float* p, int j) { return load(p + j * kLanes); }, of_register);
      add_into(&partials, columns);
    }
    for (int part = 0; w + part * kLanes < end; part++) {
      // What lies behind the group is no addend.
      const float* first = x + w + part * kLanes;
      const int left = static_cast<int>(end - w) - part * kLanes;
      VecF column[1];
      if (left >= kLanes) {
        sum_columns<1>(column, first, args, [](const float* p, int) { return load(p); }, of_register);
      } else {
        sum_columns<1>(
            column, first, args, [left](const float* p, int) { return load_first(p, left); }, of_register);
        float each[kLanes];
        store(each, column[0]);
        for (int j = left; j < kLanes; j++) each[j] = 0;
        column[0] = load(each);
      }
      partials.v[part] = add(partials.v[part], column[0]);
    }
    add_into(&totals, partials);
  }
  return sum_partials(totals);
}

inline void normalize_group(float* y, const float* x, int64_t channel, const NormalizeF32Args& args) {
  const VecF count = splat(static_cast<float>(args.length * args.width));
  VecF mean = splat(0.0f);
  if (args.centered) mean = divide(splat(sum_group(x, args, [](VecF v) { return v; })), count);
  const float squares = sum_group(x, args, [mean](VecF v) {
    const VecF d = subtract(v, mean);
    return multiply(d, d);
  });
  const VecF factor = find_factor(splat(squares), count, args.epsilon);
  const float* scale = args.scale == nullptr ? nullptr : args.scale + channel;
  const float* bias = args.bias == nullptr ? nullptr : args.bias + channel;
  for (int64_t i = 0; i < args.length; i++) {
    const float* from = x + i * args.x_stride;
    float* to = y + i * args.y_stride;
    int64_t w = 0;
    for (; w + kLanes <= args.width; w += kLanes) {
      const VecF v = multiply(subtract(load(from + w), mean), factor);
      store(to + w, scale_and_shift(v, scale, bias, [w](const float* p) { return load(p + w); }));
    }
    if (w == args.width) continue;
    const int left = static_cast<int>(args.width - w);
    const VecF v = multiply(subtract(load_first(from + w, left), mean), factor);
    const auto load_channel = [w, left](const float* p) { return load_first(p + w, left); };
    store_first(to + w, scale_and_shift(v, scale, bias, load_channel), left);
  }
}

inline void normalize_f32_simd(const NormalizeF32Args& args, const Tile& tile) {
  for_each_row_part(tile, args.groups, [&](int64_t outer, int64_t begin, int64_t end) {
    const float* x = args.x + outer * args.length * args.x_stride;
    float* y = args.y + outer * args.length * args.y_stride;
    if (args.width == 1) return normalize_run(y + begin, x + begin, begin, end - begin, args);
    for (int64_t group = begin; group < end; group++) {
      const int64_t channel = group * args.width;
      normalize_group(y + channel, x + channel, channel, args);
    }
  });
}

}  // namespace
}  // namespace hone
