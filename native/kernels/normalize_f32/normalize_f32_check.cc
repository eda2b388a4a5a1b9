#include "native/kernels/normalize_f32/normalize_f32.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/row_layout.h"

namespace hone::check {
namespace {

struct Spec {
  int64_t outer, length, groups, width;

  int64_t channels() const { return groups * width; }
  int64_t rows() const { return outer * length; }
  std::string text() const {
    return std::to_string(outer) + "x" + std::to_string(length) + "x" + std::to_string(groups) + "*" +
           std::to_string(width);
  }
};

/// Also holds ref against the formula in double precision.
class NormalizeCase : public PlainCase<NormalizeF32Row, NormalizeF32Args> {
 public:
  NormalizeCase(const NormalizeF32Args& args, const Spec& s, std::vector<float> input, std::string text)
      : PlainCase(kNormalizeF32Rows, args, s.outer * s.groups, static_cast<double>(s.rows() * s.channels()),
                  std::move(text)),
        input_(std::move(input)) {}

  std::string verify_reference() override {
    for (int64_t item = 0; item < items_; item++) {
      const int64_t first = item / args_.groups * args_.length, channel = item % args_.groups * args_.width;
      double sum = 0, squares = 0, largest = 0;
      each(first, channel, [&](double x, int64_t, int64_t) {
        sum += x;
        largest = std::isfinite(x) ? std::fmax(largest, std::fabs(x)) : INFINITY;
      });
      if (!(largest < 1e15)) continue;
      const auto count = static_cast<double>(args_.length * args_.width);
      const double mean = args_.centered ? sum / count : 0;
      each(first, channel, [&](double x, int64_t, int64_t) { squares += (x - mean) * (x - mean); });
      const double deviation = std::sqrt(squares / count + static_cast<double>(args_.epsilon));
      // The mean is known to some 2^-17 of the largest element at worst: where that is not less than what
      // elements differ by, rounding alone decides the result.
      if (!(deviation > largest * 1e-3)) continue;
      std::string wrong;
      each(first, channel, [&](double x, int64_t row, int64_t w) {
        const double scale = args_.scale == nullptr ? 1 : static_cast<double>(args_.scale[channel + w]);
        const double bias = args_.bias == nullptr ? 0 : static_cast<double>(args_.bias[channel + w]);
        const double exact = (x - mean) / deviation * scale + bias;
        const double error = 1e-5 * std::fabs(scale) * largest / deviation + 1e-6 * std::fabs(bias) + 1e-37;
        const float y = args_.y[row * args_.y_stride + channel + w];
        if (wrong.empty() && std::isfinite(exact) && std::fabs(exact) < 3e38 &&
            !(std::fabs(y - exact) <= error))
          wrong = "item " + std::to_string(item) + " has " + std::to_string(y) + ", exactly " +
                  std::to_string(exact);
      });
      if (!wrong.empty()) return wrong;
    }
    return {};
  }

 private:
  /// visit(x, row, w) for the elements of a group.
  template <class Visit>
  void each(int64_t first, int64_t channel, Visit visit) const {
    for (int64_t row = first; row < first + args_.length; row++)
      for (int64_t w = 0; w < args_.width; w++)
        visit(input_[static_cast<size_t>(row * args_.x_stride + channel + w)], row, w);
  }

  std::vector<float> input_;
};

std::unique_ptr<KernelCase> make(Workbench& bench, const Spec& s, const char* name) {
  Rng& rng = bench.rng();
  const RowLayout layout = {s.rows(), s.channels()};
  NormalizeF32Args args = {};
  args.length = s.length;
  args.groups = s.groups;
  args.width = s.width;
  args.y_stride = pick_stride(rng, layout);
  args.y = bench.output<float>(layout.rows, layout.length, args.y_stride);
  const bool in_place = name == nullptr && rng.chance(0.3);
  args.x_stride = in_place ? args.y_stride : pick_stride(rng, layout);
  float* x = in_place ? args.y : bench.input<float>(layout.rows, layout.length, args.x_stride);
  args.x = x;
  const size_t span = layout.span(args.x_stride);
  bench.fill_floats(x, span, 2.0f, rng.chance(0.3));
  const auto place_channels = [&](bool is_there) -> const float* {
    if (!is_there) return nullptr;
    float* values = bench.input<float>(static_cast<size_t>(s.channels()));
    bench.fill_floats(values, static_cast<size_t>(s.channels()), 1.0f, false);
    return values;
  };
  args.scale = place_channels(name != nullptr || rng.chance(0.6));
  args.bias = place_channels(name != nullptr || rng.chance(0.6));
  args.centered = name != nullptr || rng.chance(0.7);
  args.epsilon = name != nullptr || rng.chance(0.8) ? 1e-5f : 0.0f;
  const std::string text =
      name != nullptr ? name : s.text() + (args.centered ? " centered" : "") + (in_place ? " in place" : "");
  return std::make_unique<NormalizeCase>(args, s, std::vector<float>(x, x + span), text);
}

// Rows, channels alone, groups; around every register, 16 partials and a block of either sum.
constexpr Spec kFixed[] = {
    {1, 1, 1, 2},    {3, 1, 1, 7},   {2, 1, 1, 8},    {2, 1, 1, 16},   {3, 1, 1, 17},
    {2, 1, 1, 31},   {1, 1, 1, 100}, {2, 1, 3, 20},   {1, 1, 1, 2048}, {2, 1, 1, 2049},
    {1, 1, 1, 5000}, {2, 5, 1, 1},   {2, 4, 3, 1},    {1, 9, 8, 1},    {2, 3, 17, 1},
    {1, 128, 33, 1}, {2, 129, 5, 1}, {1, 300, 40, 1}, {2, 3, 2, 4},    {1, 7, 4, 10},
    {2, 130, 2, 8},  {1, 4, 3, 16},  {1, 5, 2, 33},   {1, 3, 1, 2050}, {1, 1, 3, 1},
};
constexpr int kFixedCount = static_cast<int>(std::size(kFixed));

struct Bench {
  const char* name;
  Spec shape;
};
constexpr Bench kBench[] = {
    {"layer 128x384", {128, 1, 1, 384}},    {"layer 1x768", {1, 1, 1, 768}},
    {"instance 1024x64", {1, 1024, 64, 1}}, {"group 1024x8*16", {1, 1024, 8, 16}},
    {"group 1024x32*4", {1, 1024, 32, 4}},
};

const KernelCheck kCheck = {
    "normalize_f32",
    [] { return list_rows(kNormalizeF32Rows, kNormalizeF32RowCount); },
    8 * kFixedCount,
    [](Workbench& bench, int index) {
      Rng& rng = bench.rng();
      if (index < 8 * kFixedCount) return make(bench, kFixed[index % kFixedCount], nullptr);
      const int64_t length = rng.chance(0.5) ? 1 : rng.between(2, 20);
      const int64_t width = rng.chance(0.4) ? 1 : rng.between(2, 60);
      return make(bench, {rng.between(1, 3), length, rng.between(1, width == 1 ? 70 : 5), width}, nullptr);
    },
    static_cast<int>(std::size(kBench)),
    [](Workbench& bench, int index) { return make(bench, kBench[index].shape, kBench[index].name); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
