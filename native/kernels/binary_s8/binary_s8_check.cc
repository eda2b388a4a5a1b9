#include <iterator>

#include "native/kernels/binary_s8/binary_s8.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/row_layout.h"
#include "native/tools/check_kernels/s8_data.h"

namespace hone::check {
namespace {

struct Spec {
  const char* name;
  int64_t count, b_count;
  BinaryOperation operation;
};

/// Counts around 16; b as long as a, one element, and periods that are and are not multiples of 16, short and
/// long; each with every operation.
constexpr int64_t kFixed[][2] = {{1, 1},     {3, 3},     {15, 15},    {16, 16},  {17, 17},
                                 {33, 1},    {300, 1},   {301, 7},    {512, 16}, {513, 127},
                                 {900, 128}, {903, 129}, {1032, 258}, {520, 260}};
constexpr int kFixedCount = static_cast<int>(std::size(kFixed));
constexpr Spec kBench[] = {
    {"add 16384", 16384, 16384, BinaryOperation::kAdd},
    {"add 16384 channels 64", 16384, 64, BinaryOperation::kAdd},
    {"mul 16384 scalar", 16384, 1, BinaryOperation::kMultiply},
    {"mul 16384 channels 16", 16384, 16, BinaryOperation::kMultiply},
};

std::unique_ptr<KernelCase> make(Workbench& bench, const Spec& s) {
  Rng& rng = bench.rng();
  const bool plain = s.name != nullptr;
  BinaryS8Args args = {};
  const std::string placed =
      place_binary_rows<int8_t>(bench, s.count, s.b_count, plain, &args,
                                [&](int8_t* to, size_t count) { bench.fill_bytes(to, count); });
  args.operation = s.operation;
  static constexpr float kScales[] = {0.5f, 0.25f, 0.125f, 0.1f, 0.037f, 1.7f};
  args.scales = {rng.pick(kScales), rng.pick(kScales), rng.pick(kScales),
                 static_cast<int32_t>(rng.between(-128, 127)), static_cast<int32_t>(rng.between(-128, 127))};
  if (!plain && rng.chance(0.1)) args.scales.out_scale = 1e-36f;  // saturates, to infinity and beyond
  args.range = make_s8_range(bench, plain);
  const std::string text =
      plain ? s.name : "operation " + std::to_string(static_cast<int>(s.operation)) + " " + placed;
  return std::make_unique<PlainCase<BinaryS8Row, BinaryS8Args>>(kBinaryS8Rows, args, s.count,
                                                                static_cast<double>(s.count), text);
}

Spec make_spec(Rng& rng, int index) {
  const auto operation = static_cast<BinaryOperation>(index / kFixedCount % kBinaryOperationCount);
  if (index < 4 * kFixedCount * kBinaryOperationCount) {
    const auto& [count, b_count] = kFixed[index % kFixedCount];
    return {nullptr, count, b_count, operation};
  }
  const int64_t b_count = rng.between(1, rng.chance(0.5) ? 20 : 400);
  return {nullptr, b_count * rng.between(1, 6), b_count,
          static_cast<BinaryOperation>(rng.between(0, kBinaryOperationCount - 1))};
}

const KernelCheck kCheck = {
    "binary_s8",
    [] { return list_rows(kBinaryS8Rows, kBinaryS8RowCount); },
    4 * kFixedCount* kBinaryOperationCount,
    [](Workbench& bench, int index) { return make(bench, make_spec(bench.rng(), index)); },
    static_cast<int>(std::size(kBench)),
    [](Workbench& bench, int index) { return make(bench, kBench[index]); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
