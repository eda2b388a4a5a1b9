#include <cstring>

#include "native/kernels/select/select.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/typed_data.h"

namespace hone::check {
namespace {

class SelectCase : public PlainCase<SelectRow, SelectArgs> {
 public:
  SelectCase(const SelectArgs& args, int64_t count, std::vector<uint8_t> a)
      : PlainCase(kSelectRows, args, count, static_cast<double>(count),
                  std::to_string(count) + " of " + std::to_string(args.element_bytes) + " bytes from " +
                      std::to_string(args.condition_count) + ", " + std::to_string(args.a_count) + " and " +
                      std::to_string(args.b_count)),
        a_(std::move(a)) {}

  std::string verify_reference() override {
    const int64_t size = args_.element_bytes;
    for (int64_t i = 0; i < items_; i++) {
      const bool first = args_.condition[i % args_.condition_count] != 0;
      const uint8_t* from = first ? a_.data() + i % args_.a_count * size
                                  : static_cast<const uint8_t*>(args_.b) + i % args_.b_count * size;
      if (std::memcmp(static_cast<uint8_t*>(args_.y) + i * size, from, static_cast<size_t>(size)) != 0)
        return "element " + std::to_string(i) + " is wrong";
    }
    return {};
  }

 private:
  std::vector<uint8_t> a_;  ///< y may lie on it
};

std::unique_ptr<KernelCase> make(Workbench& bench, int32_t bytes, int64_t count, int64_t condition_count,
                                 int64_t a_count, int64_t b_count) {
  Rng& rng = bench.rng();
  SelectArgs args = {};
  args.element_bytes = bytes;
  args.condition_count = condition_count;
  args.a_count = a_count;
  args.b_count = b_count;
  args.y = output_of(bench, bytes, static_cast<size_t>(count));
  uint8_t* condition = bench.input<uint8_t>(static_cast<size_t>(condition_count));
  for (int64_t i = 0; i < condition_count; i++)
    condition[i] = rng.chance(0.5) ? 0 : static_cast<uint8_t>(rng.between(1, 255));
  args.condition = condition;
  const bool in_place = a_count == count && rng.chance(0.5);
  void* a = in_place ? args.y : input_of(bench, bytes, static_cast<size_t>(a_count));
  void* b = input_of(bench, bytes, static_cast<size_t>(b_count));
  bench.fill_bytes(static_cast<uint8_t*>(a), static_cast<size_t>(a_count * bytes));
  bench.fill_bytes(static_cast<uint8_t*>(b), static_cast<size_t>(b_count * bytes));
  args.a = a;
  args.b = b;
  const auto* bytes_of_a = static_cast<const uint8_t*>(a);
  return std::make_unique<SelectCase>(args, count,
                                      std::vector<uint8_t>(bytes_of_a, bytes_of_a + a_count * bytes));
}

const KernelCheck kCheck = {"select",
                            [] { return list_rows(kSelectRows, kSelectRowCount); },
                            120,
                            [](Workbench& bench, int index) {
                              Rng& rng = bench.rng();
                              const int64_t inner = rng.between(1, 20);
                              // What begins anew so often is written out for long operands.
                              const int64_t outer = rng.chance(0.1) ? 1100 : rng.between(1, 5);
                              const int64_t counts[] = {1, inner, inner * outer, inner * outer};
                              return make(bench, 1 << index % 4, inner * outer, rng.pick(counts),
                                          rng.pick(counts), rng.pick(counts));
                            },
                            1,
                            [](Workbench& bench, int) { return make(bench, 4, 16384, 16384, 16384, 1); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
