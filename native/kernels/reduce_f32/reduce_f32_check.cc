#include "native/kernels/reduce_f32/reduce_f32.h"

#include <cmath>
#include <iterator>
#include <limits>

#include "native/tools/check_kernels/reduction_case.h"

namespace hone::check {
namespace {

/// What is exact, and how far from it a result may be.
struct Bounded {
  double value, error;
};

/// The reduction in double precision. An error of infinity: rounding alone decides the result.
Bounded reduce_exactly(ReduceOperation operation, const std::vector<double>& x) {
  const auto count = static_cast<double>(x.size());
  // Additions of float32 in a row, and what finishes them.
  const double rounding = (136 + count / 128) * 0x1p-24;
  double sum = 0, size = 0, squares = 0, logarithms = 0, largest = -INFINITY, product = 1;
  for (const double value : x) {
    sum += value;
    size += std::fabs(value);
    squares += value * value;
    product *= value;
    logarithms += std::fabs(std::log(std::fabs(value)));
    largest = std::fmax(largest, value);
  }
  switch (operation) {
    case ReduceOperation::kSum:
      return {sum, rounding * size};
    case ReduceOperation::kMean:
      return {sum / count, rounding * size / count};
    case ReduceOperation::kL1:
      return {size, rounding * size};
    case ReduceOperation::kSumSquare:
      return {squares, rounding * squares};
    case ReduceOperation::kL2:
      return {std::sqrt(squares), rounding * std::sqrt(squares) + 1e-19};
    case ReduceOperation::kLogSum: {
      const double relative = sum > 0 ? rounding * size / sum : INFINITY;
      return {std::log(sum), relative < 0.5 ? 2 * relative + 4e-7 * std::fabs(std::log(sum)) : INFINITY};
    }
    case ReduceOperation::kLogSumExp: {
      double total = 0;
      for (const double value : x) total += std::exp(value - largest);
      const double value = std::log(total) + largest;
      return {value, rounding + 4e-7 * (std::fabs(value) + std::fabs(largest))};
    }
    case ReduceOperation::kProduct:
      return {product, logarithms < 80 ? count * 0x1p-23 * std::fabs(product) : INFINITY};
  }
  return {NAN, 0};
}

/// Also holds ref against sums in double precision.
class ReduceCase : public PlainCase<ReduceF32Row, ReduceF32Args> {
 public:
  ReduceCase(const ReduceF32Args& args, const ReductionSpec& s, const float* x, std::string text)
      : PlainCase(kReduceF32Rows, args, s.outer * s.inner, static_cast<double>(rows_of(s).count()),
                  std::move(text)),
        x_(x) {}

  std::string verify_reference() override {
    for (int64_t item = 0; item < items_; item++) {
      const int64_t row = item / args_.inner, column = item % args_.inner;
      const float y = args_.y[row * args_.y_stride + column];
      uint32_t bits;
      __builtin_memcpy(&bits, &y, 4);
      if (std::isnan(y) && bits != 0x7FC00000u) return "a NaN is not 0x7FC00000";
      std::vector<double> x;
      bool plain = true, unknown = false;
      for (int64_t i = 0; i < args_.length; i++) {
        const float value = x_[row * args_.x_outer_stride + i * args_.x_stride + column];
        x.push_back(value);
        unknown = unknown || std::isnan(value);
        plain = plain && std::fabs(value) < 1e15f;
      }
      if (unknown && !std::isnan(y)) return "a NaN is lost";
      if (!plain) continue;
      const Bounded exact = reduce_exactly(args_.operation, x);
      if (!std::isfinite(exact.error) || !std::isfinite(exact.value)) continue;
      const double bounded = std::fmax(std::fmin(exact.value, args_.hi), args_.lo);
      if (!(std::fabs(y - bounded) <= exact.error + 1e-37))
        return "item " + std::to_string(item) + " is " + std::to_string(y) + ", exactly " +
               std::to_string(bounded);
    }
    return {};
  }

 private:
  const float* x_;
};

std::unique_ptr<KernelCase> make(Workbench& bench, const ReductionSpec& s, ReduceOperation operation,
                                 const char* name) {
  Rng& rng = bench.rng();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  ReduceF32Args args = {};
  float* x = place_reduction(bench, s, &args);
  args.operation = operation;
  args.lo = name == nullptr && rng.chance(0.3) ? 0.0f : -kInfinity;
  args.hi = name == nullptr && rng.chance(0.3) ? 6.0f : kInfinity;
  // What a product overflows with, and a sum of exponentials, is the exception.
  const size_t span = rows_of(s).span(s.inner == 1 ? args.x_outer_stride : args.x_stride);
  if (operation == ReduceOperation::kProduct && rng.chance(0.8))
    for (size_t i = 0; i < span; i++) x[i] = static_cast<float>(0.7 + 0.6 * rng.unit());
  const std::string text =
      name != nullptr ? name : "operation " + std::to_string(static_cast<int>(operation)) + " " + s.text();
  return std::make_unique<ReduceCase>(args, s, x, text);
}

// Several blocks, whole and in part.
constexpr ReductionSpec kLong[] = {{1, 2048, 1}, {1, 2049, 1}, {1, 100000, 1},
                                   {1, 128, 9},  {2, 129, 3},  {1, 100000, 3}};
constexpr int kShortCount = static_cast<int>(std::size(kFixedReductions));
constexpr int kShapes = kShortCount + static_cast<int>(std::size(kLong));
constexpr int kFixed = 2 * kShapes * kReduceOperationCount;

struct Bench {
  const char* name;
  ReduceOperation operation;
  ReductionSpec shape;
};
constexpr Bench kBench[] = {
    {"mean 1x1000x1", ReduceOperation::kMean, {1, 1000, 1}},
    {"sum_square 1000x2x1", ReduceOperation::kSumSquare, {1000, 2, 1}},
    {"mean 196x384x1", ReduceOperation::kMean, {196, 384, 1}},
    {"mean 1x49x1280", ReduceOperation::kMean, {1, 49, 1280}},
    {"sum 1x3136x16", ReduceOperation::kSum, {1, 3136, 16}},
    {"l2 64x256x1", ReduceOperation::kL2, {64, 256, 1}},
    {"log_sum_exp 64x256x1", ReduceOperation::kLogSumExp, {64, 256, 1}},
};

const KernelCheck kCheck = {
    "reduce_f32",
    [] { return list_rows(kReduceF32Rows, kReduceF32RowCount); },
    kFixed,
    [](Workbench& bench, int index) {
      Rng& rng = bench.rng();
      if (index >= kFixed) return make(bench, random_reduction(rng), rng.pick(kReduceOperations), nullptr);
      const int shape = index % kShapes;
      return make(bench, shape < kShortCount ? kFixedReductions[shape] : kLong[shape - kShortCount],
                  kReduceOperations[index / kShapes % kReduceOperationCount], nullptr);
    },
    static_cast<int>(std::size(kBench)),
    [](Workbench& bench, int index) {
      return make(bench, kBench[index].shape, kBench[index].operation, kBench[index].name);
    }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
