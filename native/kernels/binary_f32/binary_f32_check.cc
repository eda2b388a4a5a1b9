#include <cmath>
#include <iterator>
#include <limits>

#include "native/kernels/binary_f32/binary_f32.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/row_layout.h"

namespace hone::check {
namespace {

struct Spec {
  const char* name;
  int64_t count, b_count;
  BinaryOperation operation;
};

/// Counts around 4, 8 and 16; b as long as a, one element, and short and long periods; each with every
/// operation.
constexpr int64_t kFixed[][2] = {{1, 1},   {3, 3},   {4, 4},   {7, 7},    {8, 8},    {9, 1},    {15, 15},
                                 {17, 17}, {300, 1}, {301, 7}, {256, 16}, {256, 64}, {260, 65}, {390, 130}};
constexpr int kFixedCount = static_cast<int>(std::size(kFixed));
constexpr Spec kBench[] = {
    {"add 16384", 16384, 16384, BinaryOperation::kAdd},
    {"add 16384 channels 64", 16384, 64, BinaryOperation::kAdd},
    {"remainder 16384", 16384, 16384, BinaryOperation::kRemainder},
    {"power 16384", 16384, 16384, BinaryOperation::kPower},
    {"mul 16384 scalar", 16384, 1, BinaryOperation::kMultiply},
};

/// Also holds powers and remainders of ref against those of the C library in double precision.
class BinaryCase : public PlainCase<BinaryF32Row, BinaryF32Args> {
 public:
  BinaryCase(const BinaryF32Args& args, int64_t count, std::vector<float> a, std::vector<float> b,
             std::string text)
      : PlainCase(kBinaryF32Rows, args, count, static_cast<double>(count), std::move(text)),
        a_(std::move(a)),
        b_(std::move(b)) {}

  std::string verify_reference() override {
    const bool is_power = args_.operation == BinaryOperation::kPower;
    if (!is_power && args_.operation != BinaryOperation::kRemainder) return {};
    for (int64_t item = 0; item < items_; item++) {
      const int64_t row = item / args_.length, i = item % args_.length;
      const bool is_rows = args_.b_count > args_.length || args_.b_count == items_;
      const int64_t b_row = is_rows ? row % (args_.b_count / args_.length) : 0;
      const int64_t b_at = is_rows ? b_row * args_.b_stride + i : item % args_.b_count;
      const float a = a_[static_cast<size_t>(row * args_.a_stride + i)];
      const float b = b_[static_cast<size_t>(b_at)];
      const float y = args_.y[row * args_.y_stride + i];
      const double exact = is_power ? std::pow(static_cast<double>(a), static_cast<double>(b))
                                    : std::fmod(static_cast<double>(a), static_cast<double>(b));
      const double bounded = exact > args_.hi ? args_.hi : exact < args_.lo ? args_.lo : exact;
      if (std::isnan(bounded) ? std::isnan(y) : static_cast<float>(bounded) == y) continue;
      if (!is_power) return "remainder of " + std::to_string(a) + " by " + std::to_string(b);
      constexpr double kLargest = std::numeric_limits<float>::max();
      const double found = std::isinf(y) ? std::copysign(kLargest * (1 + 0x1p-24), y) : y;
      if (!(std::fabs(found - bounded) <= 0x1p-22 * std::fabs(bounded) + 0x1p-149))
        return std::to_string(a) + " to " + std::to_string(b) + " is " + std::to_string(y) + ", exactly " +
               std::to_string(exact);
    }
    return {};
  }

 private:
  std::vector<float> a_, b_;
};

/// Numbers of every size: exponents for which some powers are neither 0 nor infinite.
void fill_for_powers(Rng& rng, float* to, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const auto size =
        static_cast<float>(std::ldexp(rng.unit() + 0.5, static_cast<int>(rng.between(-12, 12))));
    to[i] = rng.chance(0.3) ? std::nearbyint(size) : rng.chance(0.3) ? 1 + size / 65536 : size;
    if (rng.chance(0.3)) to[i] = -to[i];
  }
}

std::unique_ptr<KernelCase> make(Workbench& bench, const Spec& s) {
  Rng& rng = bench.rng();
  const bool plain = s.name != nullptr;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  BinaryF32Args args = {};
  const bool is_power =
      (s.operation == BinaryOperation::kPower || s.operation == BinaryOperation::kRemainder) &&
      (plain || rng.chance(0.7));
  const std::string placed =
      place_binary_rows<float>(bench, s.count, s.b_count, plain, &args, [&](float* to, size_t count) {
        if (is_power) return fill_for_powers(rng, to, count);
        bench.fill_floats(to, count);
      });
  args.operation = s.operation;
  args.lo = rng.chance(0.5) ? -kInfinity : 0.0f;
  args.hi = rng.chance(0.6) ? kInfinity : 6.0f;
  const std::string text =
      plain ? s.name : "operation " + std::to_string(static_cast<int>(s.operation)) + " " + placed;
  const auto copy = [](const float* from, int64_t rows, int64_t length, ptrdiff_t stride) {
    return std::vector<float>(from, from + (rows - 1) * stride + length);
  };
  const int64_t rows = s.count / args.length;
  const bool is_rows = s.b_count > args.length || s.b_count == s.count;
  return std::make_unique<BinaryCase>(args, s.count, copy(args.a, rows, args.length, args.a_stride),
                                      is_rows
                                          ? copy(args.b, s.b_count / args.length, args.length, args.b_stride)
                                          : copy(args.b, 1, s.b_count, 0),
                                      text);
}

Spec make_spec(Rng& rng, int index) {
  const auto operation = static_cast<BinaryOperation>(index / kFixedCount % kBinaryOperationCount);
  if (index < 4 * kFixedCount * kBinaryOperationCount) {
    const auto& [count, b_count] = kFixed[index % kFixedCount];
    return {nullptr, count, b_count, operation};
  }
  const int64_t b_count = rng.between(1, rng.chance(0.5) ? 20 : 200);
  return {nullptr, b_count * rng.between(1, 6), b_count,
          static_cast<BinaryOperation>(rng.between(0, kBinaryOperationCount - 1))};
}

const KernelCheck kCheck = {
    "binary_f32",
    [] { return list_rows(kBinaryF32Rows, kBinaryF32RowCount); },
    4 * kFixedCount* kBinaryOperationCount,
    [](Workbench& bench, int index) { return make(bench, make_spec(bench.rng(), index)); },
    static_cast<int>(std::size(kBench)),
    [](Workbench& bench, int index) { return make(bench, kBench[index]); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
