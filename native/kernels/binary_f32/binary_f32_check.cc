#include <iterator>
#include <limits>

#include "native/kernels/binary_f32/binary_f32.h"
#include "native/tools/check_kernels/kernel_check.h"

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
    {"mul 16384 scalar", 16384, 1, BinaryOperation::kMultiply},
};

std::unique_ptr<KernelCase> make(Workbench& bench, const Spec& s) {
  Rng& rng = bench.rng();
  const int where = s.name != nullptr ? 0 : static_cast<int>(rng.between(0, 2));  // y: its own, a, or b
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  BinaryF32Args args = {};
  args.y = bench.output<float>(s.count);
  float* a = where == 1 ? args.y : bench.input<float>(s.count);
  float* b = where == 2 && s.b_count == s.count ? args.y : bench.input<float>(s.b_count);
  bench.fill_floats(a, s.count);
  bench.fill_floats(b, s.b_count);
  args.a = a;
  args.b = b;
  args.b_count = s.b_count;
  args.operation = s.operation;
  args.lo = rng.chance(0.5) ? -kInfinity : 0.0f;
  args.hi = rng.chance(0.6) ? kInfinity : 6.0f;
  const std::string text = s.name != nullptr ? s.name
                                             : "operation " + std::to_string(static_cast<int>(s.operation)) +
                                                   " " + std::to_string(s.count) + " b " +
                                                   std::to_string(s.b_count) + " y " + std::to_string(where);
  return std::make_unique<PlainCase<BinaryF32Row, BinaryF32Args>>(kBinaryF32Rows, args, s.count,
                                                                  static_cast<double>(s.count), text);
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
