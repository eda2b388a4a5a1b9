#include "native/kernels/scatter_nd/scatter_nd.h"
#include "native/tools/check_kernels/scatter_case.h"

namespace hone::check {
namespace {

class ScatterNdCase : public PlainCase<ScatterNdRow, ScatterNdArgs> {
 public:
  explicit ScatterNdCase(const ScatterNdArgs& args)
      : PlainCase(kScatterNdRows, args, 1, static_cast<double>(args.count * args.slice),
                  describe_scatter(args)),
        expected_(args.type, args.x, args.y_count) {
    int64_t strides[8] = {};
    fill_row_major(args.lengths, args.depth, strides);
    for (int64_t item = 0; item < args.count; item++) {
      int64_t to = 0;
      bool inside = true;
      for (int d = 0; d < args.depth; d++) {
        const int64_t index = expected_place(
            read_integer(args.indices, args.index_type, item * args.depth + d), args.lengths[d], false);
        inside = inside && index >= 0;
        to += index * strides[d];
      }
      beyond_ = beyond_ || !inside;
      for (int64_t i = 0; inside && i < args.slice; i++)
        expected_.combine(to * args.slice + i, args.combination, args.updates, item * args.slice + i);
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

std::unique_ptr<KernelCase> make(Workbench& bench, int32_t depth, int64_t count, int64_t slice) {
  ScatterNdArgs args = {};
  args.depth = depth;
  args.count = count;
  args.slice = slice;
  int64_t y_count = slice;
  const int64_t length = bench.rng().between(1, 5);
  for (int d = 0; d < depth; d++) y_count *= args.lengths[d] = length + d;
  place_scatter(bench, y_count, count * slice, count * depth, length, &args);
  return std::make_unique<ScatterNdCase>(args);
}

const KernelCheck kCheck = {"scatter_nd",
                            [] { return list_rows(kScatterNdRows, kScatterNdRowCount); },
                            120,
                            [](Workbench& bench, int index) {
                              return make(bench, 1 + index % 4, bench.rng().between(1, 6),
                                          bench.rng().between(1, 20));
                            },
                            1,
                            [](Workbench& bench, int) { return make(bench, 2, 100, 64); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
