#include <iterator>
#include <limits>

#include "native/kernels/binary_f32/binary_f32.h"
#include "native/tools/check_kernels/kernel_check.h"

namespace hone::check {
namespace {

struct Spec {
  const char* name;
  int64_t count, b_count;
  int32_t operation;
};

// Counts around 4, 8 and 16; b as long as a, one element, and short and long periods.
constexpr Spec kFixed[] = {
    {nullptr, 1, 1, 0},    {nullptr, 3, 3, 1},     {nullptr, 4, 4, 0},    {nullptr, 7, 7, 1},
    {nullptr, 8, 8, 0},    {nullptr, 9, 1, 1},     {nullptr, 15, 15, 0},  {nullptr, 17, 17, 1},
    {nullptr, 300, 1, 0},  {nullptr, 301, 7, 1},   {nullptr, 256, 16, 0}, {nullptr, 256, 64, 1},
    {nullptr, 260, 65, 0}, {nullptr, 390, 130, 1},
};
constexpr Spec kBench[] = {
    {"add 16384", 16384, 16384, 0},
    {"add 16384 channels 64", 16384, 64, 0},
    {"mul 16384 scalar", 16384, 1, 1},
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
  const std::string text = s.name != nullptr
                               ? s.name
                               : std::string(s.operation == 0 ? "add " : "mul ") + std::to_string(s.count) +
                                     " b " + std::to_string(s.b_count) + " y " + std::to_string(where);
  return std::make_unique<PlainCase<BinaryF32Row, BinaryF32Args>>(kBinaryF32Rows, args, s.count,
                                                                  static_cast<double>(s.count), text);
}

Spec random_spec(Rng& rng) {
  const int64_t b_count = rng.between(1, rng.chance(0.5) ? 20 : 200);
  return {nullptr, b_count * rng.between(1, 6), b_count, static_cast<int32_t>(rng.between(0, 1))};
}

const KernelCheck kCheck = {
    "binary_f32",
    [] { return list_rows(kBinaryF32Rows, kBinaryF32RowCount); },
    static_cast<int>(std::size(kFixed)) * 4,
    [](Workbench& bench, int index) {
      const int fixed = static_cast<int>(std::size(kFixed));
      return make(bench, index < 4 * fixed ? kFixed[index % fixed] : random_spec(bench.rng()));
    },
    static_cast<int>(std::size(kBench)),
    [](Workbench& bench, int index) { return make(bench, kBench[index]); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
