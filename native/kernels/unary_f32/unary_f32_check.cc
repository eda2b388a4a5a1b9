#include <cmath>
#include <iterator>
#include <limits>
#include <vector>

#include "native/kernels/unary_f32/unary_f32.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/row_layout.h"

namespace hone::check {
namespace {

/// A value in double precision, and the size of number whose last place errors are counted in: that of the
/// value, or of what it is the difference of.
struct Exact {
  double value;
  double size = 0;
};

double phi(double x) { return 0.5 * std::erfc(-x * std::sqrt(0.5)); }

/// The mathematical function.
Exact compute_exactly(const UnaryF32Args& args, float input) {
  const double x = input, alpha = args.alpha, beta = args.beta;
  constexpr double kSmallest = std::numeric_limits<float>::min();
  switch (args.operation) {
    case UnaryOperation::kAbs:
      return {std::fabs(x)};
    case UnaryOperation::kNegate:
      return {-x};
    case UnaryOperation::kSign:
      return {x > 0 ? 1 : x < 0 ? -1 : x};
    case UnaryOperation::kFloor:
      return {std::floor(x)};
    case UnaryOperation::kCeil:
      return {std::ceil(x)};
    case UnaryOperation::kRound:
      return {std::nearbyint(x)};
    case UnaryOperation::kSqrt:
      return {std::sqrt(x)};
    case UnaryOperation::kReciprocal:
      return {1 / x};
    case UnaryOperation::kExp:
      return {std::exp(x)};
    case UnaryOperation::kLog:
      return {std::log(x)};
    case UnaryOperation::kSigmoid:
      return {1 / (1 + std::exp(-x))};
    case UnaryOperation::kTanh:
      return {std::tanh(x)};
    case UnaryOperation::kErf:
      return {std::erf(x)};
    case UnaryOperation::kGelu:
      return {x * phi(x), std::fabs(x) * kSmallest};
    case UnaryOperation::kGeluTanh: {
      const double u = std::sqrt(8 / M_PI) * (x + 0.044715 * x * x * x);
      const double value = x / (1 + std::exp(-u));
      // An error of u grows with its size.
      return {value, std::fmax(std::fabs(x) * kSmallest,
                               std::isfinite(value) ? std::fabs(value) * std::fmax(1, -u) : 0)};
    }
    case UnaryOperation::kMish:
      return {x * std::tanh(std::fmax(x, 0.0) + std::log1p(std::exp(-std::fabs(x)))),
              std::fabs(x) * kSmallest};
    case UnaryOperation::kSoftplus:
      return {(std::isnan(x) ? x : std::fmax(x, 0.0)) + std::log1p(std::exp(-std::fabs(x)))};
    case UnaryOperation::kSoftsign:
      return {x / (1 + std::fabs(x))};
    case UnaryOperation::kElu:
      return {x < 0 ? alpha * std::expm1(x) : x};
    case UnaryOperation::kSelu:
      return {beta * (x < 0 ? alpha * std::expm1(x) : x)};
    case UnaryOperation::kLeakyRelu:
      return {x < 0 ? alpha * x : x};
    case UnaryOperation::kHardSigmoid: {
      const double line = alpha * x + beta;
      return {line > 1 ? 1 : line < 0 ? 0 : line, 1};
    }
    case UnaryOperation::kHardSwish: {
      const double gate = x / 6 + 0.5;
      return {x * (gate > 1 ? 1 : gate < 0 ? 0 : gate), std::isfinite(x) ? std::fabs(x) : 0};
    }
    case UnaryOperation::kSin:
      return {std::sin(x)};
    case UnaryOperation::kCos:
      return {std::cos(x)};
    case UnaryOperation::kSquare:
      return {x * x};
    case UnaryOperation::kCube:
      return {x * x * x};
    case UnaryOperation::kReciprocalSqrt:
      return {1 / std::sqrt(x)};
    case UnaryOperation::kPower:
      return {std::pow(x, alpha)};
    case UnaryOperation::kTan:
      return {std::tan(x)};
    case UnaryOperation::kAsin:
      return {std::asin(x)};
    case UnaryOperation::kAcos:
      return {std::acos(x)};
    case UnaryOperation::kAtan:
      return {std::atan(x)};
    case UnaryOperation::kSinh:
      return {std::sinh(x)};
    case UnaryOperation::kCosh:
      return {std::cosh(x)};
    case UnaryOperation::kAsinh:
      return {std::asinh(x)};
    case UnaryOperation::kAcosh:
      return {std::acosh(x)};
    case UnaryOperation::kAtanh:
      return {std::atanh(x)};
    case UnaryOperation::kCelu: {
      // With a negative factor the exponential grows, bounded, and so does what the rounding of its power
      // costs.
      const double power = std::fmin(x / alpha, 80.0);
      const double value = x < 0 ? alpha * std::expm1(power) : x;
      return {value, std::fabs(value) * (x < 0 ? std::fmax(1, power) : 1)};
    }
    case UnaryOperation::kShrink:
      return {x < -alpha ? x + beta : x > alpha ? x - beta : 0, std::fabs(x)};
    case UnaryOperation::kThresholdedRelu:
      return {x > alpha ? x : 0};
  }
  return {NAN};
}

/// Distance of y from the exact value, in units in the last place; beyond the largest float only infinity is
/// right.
double find_error(float y, const Exact& exact) {
  const double value = exact.value;
  if (std::isnan(value) || std::isnan(y)) return std::isnan(value) && std::isnan(y) ? 0 : INFINITY;
  if (static_cast<float>(value) == y) return 0;
  constexpr double kLargest = std::numeric_limits<float>::max();
  const double found = std::isinf(y) ? std::copysign(kLargest * (1 + 0x1p-24), y) : y;
  const double size = std::fmax(std::fabs(value), exact.size);
  if (!std::isfinite(size)) return INFINITY;
  const int exponent = size > 0 ? std::max(std::ilogb(size), -126) : -126;
  return std::fabs(found - value) / std::ldexp(1.0, exponent - 23);
}

/// A little above what unary_function.h says.
double bound_error(UnaryOperation operation) {
  using enum UnaryOperation;
  if (operation == kGelu || operation == kMish) return 6;
  return operation == kTan || operation == kAcosh || operation == kAtanh ? 4 : 3;
}

/// Also holds ref against the functions of the C library in double precision.
class UnaryCase : public PlainCase<UnaryF32Row, UnaryF32Args> {
 public:
  UnaryCase(const UnaryF32Args& args, int64_t rows, std::vector<float> input, std::string text)
      : PlainCase(kUnaryF32Rows, args, rows * args.length, static_cast<double>(rows * args.length),
                  std::move(text)),
        input_(std::move(input)) {}

  std::string verify_reference() override {
    for (int64_t item = 0; item < items_; item++) {
      const int64_t row = item / args_.length, i = item % args_.length;
      const float x = input_[static_cast<size_t>(row * args_.x_stride + i)];
      const float y = args_.y[row * args_.y_stride + i];
      Exact exact = compute_exactly(args_, x);
      exact.value = exact.value < args_.lo ? args_.lo : exact.value > args_.hi ? args_.hi : exact.value;
      uint32_t bits;
      __builtin_memcpy(&bits, &y, 4);
      if (std::isnan(y) && bits != 0x7FC00000u) return "a NaN is not 0x7FC00000";
      const double error = find_error(y, exact);
      if (!(error <= bound_error(args_.operation)))
        return "of " + std::to_string(x) + " is " + std::to_string(y) + ", " + std::to_string(error) +
               " units from " + std::to_string(exact.value);
    }
    return {};
  }

 private:
  std::vector<float> input_;
};

/// Numbers of every size and sign, or of the size that functions bend at.
void fill_sizes(Rng& rng, float* x, size_t count, bool wide) {
  for (size_t i = 0; i < count; i++) {
    if (wide) {
      const auto bits = static_cast<uint32_t>(rng.next());
      __builtin_memcpy(x + i, &bits, 4);
    } else {
      x[i] = static_cast<float>((rng.unit() - 0.5) * std::ldexp(1.0, static_cast<int>(rng.between(-20, 9))));
    }
  }
}

std::unique_ptr<KernelCase> make(Workbench& bench, const RowLayout& layout, UnaryOperation operation,
                                 const char* name) {
  Rng& rng = bench.rng();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  UnaryF32Args args = {};
  float* x = place_rows<float>(bench, layout, name != nullptr ? 0 : 0.5, &args);
  const size_t count = layout.span(args.x_stride);
  args.operation = operation;
  args.alpha = 1.5f;
  args.beta = 0.75f;
  args.lo = -kInfinity;
  args.hi = kInfinity;
  if (name != nullptr || rng.chance(0.4)) {
    bench.fill_floats(x, count, 2.0f);
  } else {
    fill_sizes(rng, x, count, rng.chance(0.4));
  }
  if (name == nullptr) {
    args.alpha = static_cast<float>(rng.unit() * 2 - 0.5);
    args.beta = static_cast<float>(rng.unit() * 2 - 0.5);
    if (rng.chance(0.3)) args.lo = 0.0f;
    if (rng.chance(0.3)) args.hi = 6.0f;
  }
  const std::string text = name != nullptr
                               ? name
                               : "operation " + std::to_string(static_cast<int>(operation)) + " " +
                                     layout.text() + (x == args.y ? " in place" : " elements");
  return std::make_unique<UnaryCase>(args, layout.rows, std::vector<float>(x, x + count), text);
}

constexpr int64_t kCounts[] = {1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 100};
constexpr int kCountCount = static_cast<int>(std::size(kCounts));
constexpr int kFixed = 4 * kCountCount * kUnaryOperationCount;
constexpr const char* kBench[] = {
#define HONE_UNARY_OPERATION(number, symbol, word, ...) #word " 16384",
#include "native/core/unary_operations.def"
};

const KernelCheck kCheck = {
    "unary_f32",
    [] { return list_rows(kUnaryF32Rows, kUnaryF32RowCount); },
    kFixed,
    [](Workbench& bench, int index) {
      Rng& rng = bench.rng();
      if (index >= kFixed) return make(bench, random_rows(rng, 400), rng.pick(kUnaryOperations), nullptr);
      const RowLayout layout = cut_rows(rng, kCounts[index % kCountCount]);
      return make(bench, layout, kUnaryOperations[index / kCountCount % kUnaryOperationCount], nullptr);
    },
    kUnaryOperationCount,
    [](Workbench& bench, int index) {
      return make(bench, {1, 16384}, kUnaryOperations[index], kBench[index]);
    }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
