#pragma once
#include <memory>

#include "native/engine/packed_weights.h"
#include "native/engine/step.h"

namespace hone {

/// What the steps below share: the node, its arguments and the row that takes them.
template <typename Row, typename Args>
class KernelStep : public Step {
 public:
  explicit KernelStep(const StepContext& context) : call_(context) {}
  void bind(const Memory& memory) override { bind_args(call_, memory, &args_); }

 protected:
  Status fill(int64_t* items) {
    Fault fault = fill_args(call_, &args_, items);
    return fault.empty() ? Status() : Status("E_PLAN_FORMAT", std::move(fault));
  }
  void take(const Row& row) {
    row_ = &row;
    row_name_ = row.name;
  }

  Call call_;
  const Row* row_ = nullptr;
  Args args_{};
};

/// How a node of `items` items may be divided when `row` does it.
template <typename Row, typename Args>
using Divide = Division (*)(const StepContext& context, const Row& row, const Args& args, int64_t items);

/// All of it in one piece, by one thread.
template <typename Row, typename Args>
Division divide_nothing(const StepContext&, const Row&, const Args&, int64_t items) {
  return {items, 1, 1, 0};
}

/// A step of a kernel without weights.
template <typename Row, typename Args>
class PlainStep : public KernelStep<Row, Args> {
 public:
  using KernelStep<Row, Args>::KernelStep;

  Status prepare(const StepContext& context, const Row* rows, int row_count, Divide<Row, Args> divide_by) {
    int64_t items = 0;
    if (Status status = this->fill(&items); !status.ok()) return status;
    this->take(choose_row(rows, row_count, context.mask));
    if constexpr (requires { this->row_->scratch_bytes(this->args_.layout); })
      this->scratch_bytes_ = this->row_->scratch_bytes(this->args_.layout);
    this->tiles_ = divide(divide_by(context, *this->row_, this->args_, items), context);
    return Status();
  }
  void run(const Tile& tile, int, const Scratch& scratch) const override {
    if constexpr (requires(Args args) { args.scratch; }) {
      Args args = this->args_;
      args.scratch = scratch.own;
      this->row_->run(args, tile);
    } else {
      this->row_->run(this->args_, tile);
    }
  }
};

/// A step of a kernel with packed weights.
template <typename Row, typename Args, typename Shape, typename Weights>
class PackedStep final : public KernelStep<Row, Args> {
 public:
  using KernelStep<Row, Args>::KernelStep;

  Status prepare(const StepContext& context, const Row* rows, int row_count, Divide<Row, Shape> divide_by) {
    int64_t items = 0;
    if (Status status = this->fill(&items); !status.ok()) return status;
    Weights weights{};
    fill_shape(context, &shape_);
    find_weights(context, &weights);
    this->take(choose_row(rows, row_count, context.mask, [&](const Row& row) {
      if constexpr (requires { row.fits(shape_); }) return row.fits(shape_);
      return true;
    }));
    this->packed_ = packed_weights(context, *this->row_, shape_, weights);
    if (this->packed_ == nullptr) return Status("E_MEMORY", "packed weights");
    this->args_.packed = this->packed_->data();
    this->scratch_bytes_ = this->row_->scratch_bytes(shape_);
    this->tiles_ = divide(divide_by(context, *this->row_, shape_, items), context);
    return Status();
  }
  void run(const Tile& tile, int, const Scratch& scratch) const override {
    Args args = this->args_;
    args.scratch = scratch.own;
    this->row_->run(shape_, args, tile);
  }

 private:
  Shape shape_{};
};

/// Makes a step of class `Made` by its own prepare(context, more...).
template <typename Made, typename... More>
Status prepare_step(const StepContext& context, std::unique_ptr<Step>* step, More... more) {
  auto made = std::make_unique<Made>(context);
  if (Status status = made->prepare(context, more...); !status.ok()) return status;
  *step = std::move(made);
  return Status();
}

template <typename Row, typename Args>
Status make_plain(const StepContext& context, std::unique_ptr<Step>* step, const Row* rows, int row_count,
                  Divide<Row, Args> divide_by) {
  return prepare_step<PlainStep<Row, Args>>(context, step, rows, row_count, divide_by);
}
template <typename Row, typename Args, typename Shape, typename Weights>
Status make_packed(const StepContext& context, std::unique_ptr<Step>* step, const Row* rows, int row_count,
                   Divide<Row, Shape> divide_by) {
  return prepare_step<PackedStep<Row, Args, Shape, Weights>>(context, step, rows, row_count, divide_by);
}

}  // namespace hone
