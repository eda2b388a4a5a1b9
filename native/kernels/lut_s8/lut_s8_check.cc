#include <iterator>

#include "native/kernels/lut_s8/lut_s8.h"
#include "native/tools/check_kernels/kernel_check.h"

namespace hone::check {
namespace {

// Around vectors of 16, 32 and 64 bytes, and around the length below which AVX2 looks up one by one.
constexpr int64_t kCounts[] = {1,   7,   15,  16,  17,  31,  33,  64,  65,
                               127, 128, 129, 191, 192, 193, 256, 300, 1000};
constexpr int64_t kBench[] = {64, 256, 16384};

std::unique_ptr<KernelCase> make(Workbench& bench, int64_t count) {
  LutS8Args args = {};
  args.y = bench.output<uint8_t>(count);
  uint8_t* x = bench.rng().chance(0.5) ? args.y : bench.input<uint8_t>(count);
  uint8_t* table = bench.input<uint8_t>(256);
  bench.fill_bytes(x, count);
  for (int i = 0; i < 256; i++) table[i] = static_cast<uint8_t>(bench.rng().next());
  // Every byte, once the buffer is long enough.
  if (count >= 256 && bench.fill() == Fill::kRandom) {
    for (int i = 0; i < 256; i++) x[i] = static_cast<uint8_t>(i);
  }
  args.x = x;
  args.table = table;
  return std::make_unique<PlainCase<LutS8Row, LutS8Args>>(kLutS8Rows, args, count, static_cast<double>(count),
                                                          std::to_string(count) + " bytes");
}

const KernelCheck kCheck = {
    "lut_s8",
    [] { return list_rows(kLutS8Rows, kLutS8RowCount); },
    static_cast<int>(std::size(kCounts)) * 4,
    [](Workbench& bench, int index) {
      const int fixed = static_cast<int>(std::size(kCounts));
      return make(bench, index < 4 * fixed ? kCounts[index % fixed] : bench.rng().between(1, 700));
    },
    static_cast<int>(std::size(kBench)),
    [](Workbench& bench, int index) { return make(bench, kBench[index]); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
