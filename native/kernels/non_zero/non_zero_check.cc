#include "native/kernels/non_zero/non_zero.h"

#include <iterator>

#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/typed_data.h"

namespace hone::check {
namespace {

/// Also holds ref against each column alone: it names an element that is not 0, and they rise.
class NonZeroCase : public PlainCase<NonZeroRow, NonZeroArgs> {
 public:
  NonZeroCase(const NonZeroArgs& args, int64_t size, std::string description)
      : PlainCase(kNonZeroRows, args, 1, static_cast<double>(size), std::move(description)), size_(size) {}

  std::string verify_reference() override {
    int64_t found = 0;
    for (int64_t i = 0; i < size_; i++) {
      if (!is_set(i)) continue;
      int64_t place = 0;
      for (int d = 0; d < args_.rank; d++) place = place * args_.extents[d] + args_.y[d * size_ + found];
      if (place != i) return "column " + std::to_string(found) + " is of element " + std::to_string(place);
      found++;
    }
    if (*args_.count != found) return "counted " + std::to_string(*args_.count);
    for (int d = 0; d < args_.rank; d++)
      for (int64_t i = found; i < size_; i++)
        if (args_.y[d * size_ + i] != 0) return "something stands behind the last column";
    return {};
  }

 private:
  bool is_set(int64_t i) const {
    if (args_.type != ElementType::kFloat32) return read_integer(args_.x, args_.type, i) != 0;
    return !(static_cast<const float*>(args_.x)[i] == 0);
  }
  int64_t size_;
};

std::unique_ptr<KernelCase> make(Workbench& bench, int index) {
  constexpr ElementType kTypes[] = {ElementType::kFloat32, ElementType::kInt8,  ElementType::kUint8,
                                    ElementType::kInt32,   ElementType::kInt64, ElementType::kBool};
  NonZeroArgs args = {};
  args.type = kTypes[index % std::size(kTypes)];
  args.rank = 1 + index % kNonZeroMaxRank;
  int64_t size = 1;
  for (int d = 0; d < args.rank; d++) size *= args.extents[d] = bench.rng().between(1, d == 0 ? 9 : 3);
  args.y = bench.output<int64_t>(static_cast<size_t>(args.rank * size));
  args.count = bench.output<int64_t>(1);
  void* x = input_of(bench, element_bytes(args.type), static_cast<size_t>(size));
  fill_numbers(bench, args.type, x, static_cast<size_t>(size));
  args.x = x;
  return std::make_unique<NonZeroCase>(args, size,
                                       std::to_string(size) + " of rank " + std::to_string(args.rank));
}

const KernelCheck kCheck = {"non_zero", [] { return list_rows(kNonZeroRows, kNonZeroRowCount); }, 48, make, 1,
                            make};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
