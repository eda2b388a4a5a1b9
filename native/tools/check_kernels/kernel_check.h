#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "native/core/cpu.h"
#include "native/core/tile.h"
#include "native/tools/check_kernels/workbench.h"

namespace hone::check {

/// What the checker needs to know of a table row.
struct RowInfo {
  const char* name;
  CpuFeatures needs;
};

/// One set of shape, data and arguments. Everything the kernel reads and writes is memory of a Workbench; the
/// case keeps pointers into it. The checker restores the outputs before every run, so a case may be run any
/// number of times.
class KernelCase {
 public:
  virtual ~KernelCase() = default;

  /// The shape and whatever else is special, on one line.
  virtual std::string describe() const = 0;
  /// Whether this row takes the case (the row's own `fits`).
  virtual bool fits(int /*row*/) const { return true; }
  /// Whatever is made before the first run of a row: packed weights, scratch. The checker calls it once per
  /// row.
  virtual void prepare(int /*row*/) {}
  /// The whole output as one tile, in this row's items and blocks.
  virtual Tile whole(int row) const = 0;
  /// Smallest piece into which the checker may split the items (in items; blocks are always split one by
  /// one).
  virtual int64_t split_step() const { return 1; }
  virtual void run(int row, const Tile& tile) = 0;
  /// Arithmetic operations of one run, for the bench: 2 per multiply-accumulate, 1 per element elsewhere.
  virtual double operations() const = 0;
  /// Extra check of what ref left in the outputs, against something that is not this kernel. Empty: fine.
  virtual std::string verify_reference() { return {}; }
};

/// Everything the checker and the bench know of one kernel folder. `<op>_check.cc` defines one and registers
/// it.
struct KernelCheck {
  const char* op;
  std::vector<RowInfo> (*rows)();  ///< best first, ref last: the table
  /// Cases 0..fixed_cases-1 are the shapes worth trying (edges of every tile, tails, strides); a higher index
  /// is random (workbench.rng()). The workbench's fill pattern and placement of buffers change from case to
  /// case by themselves.
  int fixed_cases;
  std::unique_ptr<KernelCase> (*make_case)(Workbench& workbench, int index);
  /// Representative shapes for --bench. The name is part of the JSON line: keep it stable.
  int bench_cases;
  std::unique_ptr<KernelCase> (*make_bench_case)(Workbench& workbench, int index);
};

/// Makes a check known: `const Registration kRegistration(kCheck);` at namespace scope of `<op>_check.cc`.
class Registration {
 public:
  explicit Registration(const KernelCheck& check);
};

/// All registered checks, by name.
std::vector<const KernelCheck*> registered_checks();

/// Rows of a table, for KernelCheck::rows.
template <class Row>
std::vector<RowInfo> list_rows(const Row* rows, int count) {
  std::vector<RowInfo> list;
  list.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; i++) list.push_back({rows[i].name, rows[i].needs});
  return list;
}

/// Case of a kernel without packing: its rows are {name, needs, run(args, tile)}. May be derived from.
template <class Row, class Args>
class PlainCase : public KernelCase {
 public:
  PlainCase(const Row* rows, const Args& args, int64_t items, double operations, std::string description)
      : rows_(rows),
        args_(args),
        items_(items),
        operations_(operations),
        description_(std::move(description)) {}

  std::string describe() const override { return description_; }
  Tile whole(int /*row*/) const override { return {0, items_, 0, 1}; }
  void run(int row, const Tile& tile) override { rows_[row].run(args_, tile); }
  double operations() const override { return operations_; }

 protected:
  const Row* rows_;
  Args args_;
  int64_t items_;
  double operations_;
  std::string description_;
};

}  // namespace hone::check
