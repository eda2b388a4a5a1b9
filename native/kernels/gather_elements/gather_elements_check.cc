#include <cstring>

#include "native/kernels/gather_elements/gather_elements.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/typed_data.h"

namespace hone::check {
namespace {

class GatherElementsCase : public PlainCase<GatherElementsRow, GatherElementsArgs> {
 public:
  GatherElementsCase(const GatherElementsArgs& args, int64_t items)
      : PlainCase(kGatherElementsRows, args, items, static_cast<double>(items),
                  std::to_string(items) + " of " + std::to_string(args.element_bytes) + " bytes, rank " +
                      std::to_string(args.rank) + ", axis " + std::to_string(args.axis)) {}

  std::string verify_reference() override {
    int64_t place[8] = {};
    bool beyond = false;
    for (int64_t item = 0; item < items_; item++) {
      const int64_t index = read_integer(args_.indices, args_.index_type, item);
      beyond = beyond || expected_place(index, args_.length, false) < 0;
      int64_t from = 0;
      for (int d = 0; d < args_.rank; d++)
        from += (d == args_.axis ? expected_place(index, args_.length, true) : place[d]) * args_.x_strides[d];
      if (std::memcmp(args_.y + item * args_.element_bytes, args_.x + from * args_.element_bytes,
                      static_cast<size_t>(args_.element_bytes)) != 0)
        return "element " + std::to_string(item) + " is wrong";
      for (int d = args_.rank - 1; d >= 0 && ++place[d] == args_.extents[d]; d--) place[d] = 0;
    }
    return *args_.out_of_range == (beyond ? 1 : 0) ? "" : "indices beyond the ends were not noticed";
  }
};

std::unique_ptr<KernelCase> make(Workbench& bench, int rank, int axis, int64_t most) {
  Rng& rng = bench.rng();
  GatherElementsArgs args = {};
  args.rank = rank;
  args.axis = axis;
  args.element_bytes = 1 << rng.between(0, 3);
  args.index_type = rng.chance(0.5) ? ElementType::kInt64 : ElementType::kInt32;
  int64_t x_extents[8] = {};
  int64_t items = 1, x_count = 1;
  for (int d = 0; d < rank; d++) {
    args.extents[d] = rng.between(1, most);
    x_extents[d] = d == axis ? rng.between(1, most) : args.extents[d] + rng.between(0, 2);
    items *= args.extents[d];
    x_count *= x_extents[d];
  }
  args.length = x_extents[axis];
  fill_row_major(x_extents, rank, args.x_strides);
  const auto bytes = static_cast<size_t>(x_count * args.element_bytes);
  auto* x = static_cast<uint8_t*>(input_of(bench, args.element_bytes, static_cast<size_t>(x_count)));
  bench.fill_bytes(x, bytes);
  args.x = x;
  args.indices = fill_indices(bench, args.index_type, args.length, static_cast<size_t>(items));
  args.y = static_cast<uint8_t*>(output_of(bench, args.element_bytes, static_cast<size_t>(items)));
  args.out_of_range = flag_of(bench);
  return std::make_unique<GatherElementsCase>(args, items);
}

const KernelCheck kCheck = {"gather_elements",
                            [] { return list_rows(kGatherElementsRows, kGatherElementsRowCount); },
                            80,
                            [](Workbench& bench, int index) {
                              const int rank = 1 + index % 4;
                              return make(bench, rank, static_cast<int>(bench.rng().between(0, rank - 1)), 6);
                            },
                            1,
                            [](Workbench& bench, int) { return make(bench, 2, 1, 100); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
