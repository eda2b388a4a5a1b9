#include <iterator>

#include "native/kernels/lut_s8/lut_s8.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/row_layout.h"

namespace hone::check {
namespace {

// Around vectors of 16, 32 and 64 bytes, and around the length below which AVX2 looks up one by one.
constexpr int64_t kCounts[] = {1,   7,   15,  16,  17,  31,  33,  64,  65,
                               127, 128, 129, 191, 192, 193, 256, 300, 1000};
constexpr int64_t kBench[] = {64, 256, 16384};

std::unique_ptr<KernelCase> make(Workbench& bench, const RowLayout& layout) {
  LutS8Args args = {};
  uint8_t* x = place_rows<uint8_t>(bench, layout, 0.5, &args);
  uint8_t* table = bench.input<uint8_t>(256);
  bench.fill_bytes(x, layout.span(args.x_stride));
  for (int i = 0; i < 256; i++) table[i] = static_cast<uint8_t>(bench.rng().next());
  // Every byte, once the buffer is long enough.
  if (layout.length >= 256 && bench.fill() == Fill::kRandom) {
    for (int i = 0; i < 256; i++) x[i] = static_cast<uint8_t>(i);
  }
  args.table = table;
  return std::make_unique<PlainCase<LutS8Row, LutS8Args>>(
      kLutS8Rows, args, layout.count(), static_cast<double>(layout.count()), layout.text() + " bytes");
}

const KernelCheck kCheck = {"lut_s8",
                            [] { return list_rows(kLutS8Rows, kLutS8RowCount); },
                            static_cast<int>(std::size(kCounts)) * 4,
                            [](Workbench& bench, int index) {
                              const int fixed = static_cast<int>(std::size(kCounts));
                              return make(bench, index < 4 * fixed
                                                     ? cut_rows(bench.rng(), kCounts[index % fixed])
                                                     : random_rows(bench.rng(), 700));
                            },
                            static_cast<int>(std::size(kBench)),
                            [](Workbench& bench, int index) { return make(bench, {1, kBench[index]}); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
