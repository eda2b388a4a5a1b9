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
    {"mul 16384 scalar", 16384, 1, BinaryOperation::kMultiply},
};

std::unique_ptr<KernelCase> make(Workbench& bench, const Spec& s) {
  Rng& rng = bench.rng();
  const bool plain = s.name != nullptr;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  BinaryF32Args args = {};
  const std::string placed =
      place_binary_rows<float>(bench, s.count, s.b_count, plain, &args,
                               [&](float* to, size_t count) { bench.fill_floats(to, count); });
  args.operation = s.operation;
  args.lo = rng.chance(0.5) ? -kInfinity : 0.0f;
  args.hi = rng.chance(0.6) ? kInfinity : 6.0f;
  const std::string text =
      plain ? s.name : "operation " + std::to_string(static_cast<int>(s.operation)) + " " + placed;
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
