#include "native/kernels/scatter_elements/scatter_elements.h"
#include "native/tools/check_kernels/scatter_case.h"

namespace hone::check {
namespace {

class ScatterElementsCase : public PlainCase<ScatterElementsRow, ScatterElementsArgs> {
 public:
  ScatterElementsCase(const ScatterElementsArgs& args, int64_t updates)
      : PlainCase(kScatterElementsRows, args, 1, static_cast<double>(updates), describe_scatter(args)),
        expected_(args.type, args.x, args.y_count) {
    int64_t place[8] = {};
    for (int64_t item = 0; item < updates; item++) {
      const int64_t index =
          expected_place(read_integer(args.indices, args.index_type, item), args.length, false);
      beyond_ = beyond_ || index < 0;
      int64_t to = 0;
      for (int d = 0; d < args.rank; d++) to += (d == args.axis ? index : place[d]) * args.y_strides[d];
      if (index >= 0) expected_.combine(to, args.combination, args.updates, item);
      for (int d = args.rank - 1; d >= 0 && ++place[d] == args.extents[d]; d--) place[d] = 0;
    }
  }

  std::string verify_reference() override {
    if (*args_.out_of_range != (beyond_ ? 1 : 0)) return "indices beyond the ends were not noticed";
    return expected_.equals(args_.y) ? "" : "an element is wrong";
  }

 private:
  Elements expected_;
  bool beyond_ = false;
};

std::unique_ptr<KernelCase> make(Workbench& bench, int rank, int64_t most) {
  Rng& rng = bench.rng();
  ScatterElementsArgs args = {};
  args.rank = rank;
  args.axis = static_cast<int32_t>(rng.between(0, rank - 1));
  int64_t y_extents[8] = {};
  int64_t updates = 1, y_count = 1;
  for (int d = 0; d < rank; d++) {
    args.extents[d] = rng.between(1, most);
    y_extents[d] = d == args.axis ? rng.between(1, most) : args.extents[d] + rng.between(0, 2);
    updates *= args.extents[d];
    y_count *= y_extents[d];
  }
  args.length = y_extents[args.axis];
  fill_row_major(y_extents, rank, args.y_strides);
  place_scatter(bench, y_count, updates, updates, args.length, &args);
  return std::make_unique<ScatterElementsCase>(args, updates);
}

const KernelCheck kCheck = {"scatter_elements",
                            [] { return list_rows(kScatterElementsRows, kScatterElementsRowCount); },
                            120,
                            [](Workbench& bench, int index) { return make(bench, 1 + index % 4, 6); },
                            1,
                            [](Workbench& bench, int) { return make(bench, 2, 100); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
