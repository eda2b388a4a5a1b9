#include <cstring>

#include "native/kernels/gather_nd/gather_nd.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/typed_data.h"

namespace hone::check {
namespace {

class GatherNdCase : public PlainCase<GatherNdRow, GatherNdArgs> {
 public:
  GatherNdCase(const GatherNdArgs& args, int64_t items)
      : PlainCase(kGatherNdRows, args, items, static_cast<double>(items * args.slice_bytes),
                  std::to_string(items) + " slices of " + std::to_string(args.slice_bytes) +
                      " bytes, depth " + std::to_string(args.depth)) {}

  std::string verify_reference() override {
    int64_t strides[8] = {};
    fill_row_major(args_.lengths, args_.depth, strides);
    const int64_t batch_slices = strides[0] * args_.lengths[0];
    bool beyond = false;
    for (int64_t item = 0; item < items_; item++) {
      int64_t from = item / args_.count * batch_slices;
      for (int d = 0; d < args_.depth; d++) {
        const int64_t index = read_integer(args_.indices, args_.index_type, item * args_.depth + d);
        beyond = beyond || expected_place(index, args_.lengths[d], false) < 0;
        from += expected_place(index, args_.lengths[d], true) * strides[d];
      }
      if (std::memcmp(args_.y + item * args_.slice_bytes, args_.x + from * args_.slice_bytes,
                      static_cast<size_t>(args_.slice_bytes)) != 0)
        return "slice " + std::to_string(item) + " is wrong";
    }
    return *args_.out_of_range == (beyond ? 1 : 0) ? "" : "indices beyond the ends were not noticed";
  }
};

std::unique_ptr<KernelCase> make(Workbench& bench, int32_t depth, int64_t batch, int64_t count) {
  Rng& rng = bench.rng();
  GatherNdArgs args = {};
  args.depth = depth;
  args.count = count;
  args.slice_bytes = rng.between(1, 20);
  args.index_type = rng.chance(0.5) ? ElementType::kInt64 : ElementType::kInt32;
  int64_t slices = batch;
  const int64_t length = rng.between(1, 5);
  for (int d = 0; d < depth; d++) slices *= args.lengths[d] = length + d;
  const auto bytes = static_cast<size_t>(slices * args.slice_bytes);
  uint8_t* x = bench.input<uint8_t>(bytes);
  bench.fill_bytes(x, bytes);
  args.x = x;
  args.indices = fill_indices(bench, args.index_type, length, static_cast<size_t>(batch * count * depth));
  args.y = bench.output<uint8_t>(static_cast<size_t>(batch * count * args.slice_bytes));
  args.out_of_range = flag_of(bench);
  return std::make_unique<GatherNdCase>(args, batch * count);
}

const KernelCheck kCheck = {"gather_nd",
                            [] { return list_rows(kGatherNdRows, kGatherNdRowCount); },
                            60,
                            [](Workbench& bench, int index) {
                              return make(bench, 1 + index % 4, bench.rng().between(1, 3),
                                          bench.rng().between(1, 6));
                            },
                            1,
                            [](Workbench& bench, int) { return make(bench, 3, 1, 1000); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
