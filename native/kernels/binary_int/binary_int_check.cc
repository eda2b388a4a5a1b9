#include <cstring>

#include "native/kernels/binary_int/binary_int.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/typed_data.h"

namespace hone::check {
namespace {

using Large = __int128;

/// The result before it wraps around.
Large combine(IntegerOperation operation, int64_t a, int64_t b) {
  const Large x = a, y = b;
  switch (operation) {
    case IntegerOperation::kAdd:
      return x + y;
    case IntegerOperation::kMultiply:
      return x * y;
    case IntegerOperation::kSubtract:
      return x - y;
    case IntegerOperation::kDivide:
      return y == 0 ? 0 : x / y;
    case IntegerOperation::kMaximum:
      return x > y ? x : y;
    case IntegerOperation::kMinimum:
      return x < y ? x : y;
    case IntegerOperation::kModulo:
      return y == 0 ? 0 : ((x % y) + y) % y;
    case IntegerOperation::kRemainder:
      return y == 0 ? 0 : x % y;
    case IntegerOperation::kPower: {
      if (b < 0) return x == 1 ? 1 : x == -1 ? (y % 2 == 0 ? 1 : -1) : 0;
      uint64_t product = 1;
      // The powers of a number modulo 2^64 repeat after 2^62 at most: odd ones only, even ones are 0 by then.
      if (a % 2 == 0 && b >= 64) return 0;
      uint64_t base = static_cast<uint64_t>(a);
      for (uint64_t bit = 0; bit < 63; bit++) {
        if ((static_cast<uint64_t>(b) >> bit & 1) != 0) product *= base;
        base *= base;
      }
      return static_cast<Large>(product);
    }
    case IntegerOperation::kAnd:
      return a & b;
    case IntegerOperation::kOr:
      return a | b;
    case IntegerOperation::kXor:
      return a ^ b;
  }
  return 0;
}

class BinaryIntCase : public PlainCase<BinaryIntRow, BinaryIntArgs> {
 public:
  BinaryIntCase(const BinaryIntArgs& args, int64_t count)
      : PlainCase(kBinaryIntRows, args, count, static_cast<double>(count),
                  "operation " + std::to_string(static_cast<int>(args.operation)) + " of type " +
                      std::to_string(static_cast<int>(args.type)) + ", " + std::to_string(count) + " and " +
                      std::to_string(args.b_count)) {
    for (int64_t i = 0; i < count; i++) a_.push_back(read_integer(args.a, args.type, i));
  }

  std::string verify_reference() override {
    const auto size = static_cast<size_t>(element_bytes(args_.type));
    for (int64_t i = 0; i < items_; i++) {
      const int64_t b = read_integer(args_.b, args_.type, i % args_.b_count);
      const Large expected = combine(args_.operation, a_[static_cast<size_t>(i)], b);
      if (std::memcmp(&expected, static_cast<const uint8_t*>(args_.y) + static_cast<size_t>(i) * size,
                      size) != 0)
        return "element " + std::to_string(i) + " is wrong";
    }
    return {};
  }

 private:
  std::vector<int64_t> a_;  ///< y may lie on it
};

std::unique_ptr<KernelCase> make(Workbench& bench, IntegerOperation operation, ElementType type,
                                 int64_t count, int64_t b_count) {
  BinaryIntArgs args = {};
  args.operation = operation;
  args.type = type;
  args.b_count = b_count;
  const int32_t bytes = element_bytes(type);
  args.y = output_of(bench, bytes, static_cast<size_t>(count));
  void* a = bench.rng().chance(0.4) ? args.y : input_of(bench, bytes, static_cast<size_t>(count));
  void* b = input_of(bench, bytes, static_cast<size_t>(b_count));
  fill_numbers(bench, type, a, static_cast<size_t>(count));
  fill_numbers(bench, type, b, static_cast<size_t>(b_count));
  args.a = a;
  args.b = b;
  return std::make_unique<BinaryIntCase>(args, count);
}

constexpr ElementType kTypes[] = {ElementType::kInt64, ElementType::kInt32, ElementType::kInt8,
                                  ElementType::kUint8, ElementType::kBool};
const KernelCheck kCheck = {
    "binary_int",
    [] { return list_rows(kBinaryIntRows, kBinaryIntRowCount); },
    kIntegerOperationCount * 5 * 3,
    [](Workbench& bench, int index) {
      const auto operation = static_cast<IntegerOperation>(index % kIntegerOperationCount);
      const int64_t b_count = bench.rng().between(1, 40);
      // What begins anew so often is written out for long operands.
      const int64_t times = bench.rng().chance(0.1) ? 1100 : bench.rng().between(1, 5);
      // Truths know and, or and xor alone: sums of them wrap around as bytes.
      return make(bench, operation, kTypes[index / kIntegerOperationCount % 5], b_count * times, b_count);
    },
    1,
    [](Workbench& bench, int) {
      return make(bench, IntegerOperation::kAdd, ElementType::kInt64, 16384, 16384);
    }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
