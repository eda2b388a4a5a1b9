#include <cstring>

#include "native/kernels/gather/gather.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/typed_data.h"

namespace hone::check {
namespace {

class GatherCase : public PlainCase<GatherRow, GatherArgs> {
 public:
  GatherCase(const GatherArgs& args, int64_t items, const std::string& text)
      : PlainCase(kGatherRows, args, items, static_cast<double>(items * args.slice_bytes), text) {}

  std::string verify_reference() override {
    bool beyond = false;
    for (int64_t item = 0; item < items_; item++) {
      const int64_t index = read_integer(args_.indices, args_.index_type, item % args_.count);
      beyond = beyond || expected_place(index, args_.length, false) < 0;
      const int64_t from = item / args_.count * args_.length + expected_place(index, args_.length, true);
      if (std::memcmp(args_.y + item * args_.slice_bytes, args_.x + from * args_.slice_bytes,
                      static_cast<size_t>(args_.slice_bytes)) != 0)
        return "slice " + std::to_string(item) + " is wrong";
    }
    return *args_.out_of_range == (beyond ? 1 : 0) ? "" : "indices beyond the ends were not noticed";
  }
};

std::unique_ptr<KernelCase> make(Workbench& bench, int64_t outer, int64_t length, int64_t count,
                                 int64_t slice_bytes) {
  GatherArgs args = {};
  args.length = length;
  args.count = count;
  args.slice_bytes = slice_bytes;
  args.index_type = bench.rng().chance(0.5) ? ElementType::kInt64 : ElementType::kInt32;
  uint8_t* x = bench.input<uint8_t>(static_cast<size_t>(outer * length * slice_bytes));
  bench.fill_bytes(x, static_cast<size_t>(outer * length * slice_bytes));
  args.x = x;
  args.indices = fill_indices(bench, args.index_type, length, static_cast<size_t>(count));
  args.y = bench.output<uint8_t>(static_cast<size_t>(outer * count * slice_bytes));
  args.out_of_range = flag_of(bench);
  return std::make_unique<GatherCase>(args, outer * count,
                                      "[" + std::to_string(outer) + ", " + std::to_string(length) + ", " +
                                          std::to_string(slice_bytes) + " bytes] at " +
                                          std::to_string(count));
}

const KernelCheck kCheck = {
    "gather",
    [] { return list_rows(kGatherRows, kGatherRowCount); },
    80,
    [](Workbench& bench, int) {
      Rng& rng = bench.rng();
      // Slices of one element in half of the cases.
      const int64_t bytes = rng.chance(0.5) ? int64_t{1} << rng.between(0, 3) : rng.between(1, 40);
      return make(bench, rng.between(1, 4), rng.between(1, 9), rng.between(1, 9), bytes);
    },
    2,
    [](Workbench& bench, int index) {
      return index == 0 ? make(bench, 1, 1000, 64, 1024) : make(bench, 96, 64, 64, 4);
    }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
