#pragma once
#include <cstdint>
#include <initializer_list>
#include <type_traits>
#include <vector>

#include "native/engine/layout.h"
#include "native/engine/plan_ops.h"

namespace hone {

// What kernels are told, wherever they run: nothing here knows of tiles, threads or instruction sets. A
// program fills the arguments once, binds them to addresses whenever those change, and launches over all
// items.

/// Start addresses of the memories that tensors live in.
struct Memory {
  uint8_t* arena;
  uint8_t* state;
  const uint8_t* weights;
  uint8_t* const* ports;  ///< by tensor index within the variant
  const uint8_t* const*
      decoded;             ///< constants that the plan holds as codes, by tensor index within the variant
  uint32_t* out_of_range;  ///< set to 1 by a node whose indices lie beyond their bounds
  const Layout* layout;

  uint8_t* at(const PlanTensor& tensor) const {
    const uint64_t offset = layout->of(tensor).offset;
    switch (tensor.place) {
      case PlanPlace::kArena:
        return arena + offset;
      case PlanPlace::kState:
        return state + offset;
      case PlanPlace::kConstant:
        return const_cast<uint8_t*>(weights) + offset;  // the plan check lets nobody write constants
      case PlanPlace::kEncoded:
        return const_cast<uint8_t*>(decoded[&tensor - layout->first_tensor]);
      case PlanPlace::kPort:
        break;
    }
    return ports[&tensor - layout->first_tensor];
  }
};

/// A node with the places of its operands.
struct Call : NodeView {
  const Layout& layout;

  /// Elements from one row of an operand to the next.
  int64_t pitch(const PlanTensor& tensor) const { return layout.of(tensor).pitch; }
  /// Whether no bytes lie between its rows.
  bool is_dense(const PlanTensor& tensor) const {
    return pitch(tensor) == row_length(tensor) || count_elements(tensor) == row_length(tensor);
  }
  /// Elements from one row to the next when a kernel sees rows of `length`: a fault where the operand's own
  /// rows are others and have gaps between them.
  Fault find_stride(const PlanTensor& tensor, int64_t length, ptrdiff_t* stride) const;
  /// Length of the rows that a kernel over elements sees in operands of equal size: all elements when none
  /// has gaps, else the rows of the first that has.
  int64_t find_row_length(std::initializer_list<const PlanTensor*> operands) const;
};

/// Arguments of the kernels of each operation, in ops/<family>.cc: extents, strides, factors, bounds; no
/// address. `items` is how many items there are, as the kernel's header counts them. A fault when no kernel
/// can take operands that lie like these.
#define HONE_PLAN_OP(number, symbol, word, ...) \
  struct symbol##Args;                          \
  Fault fill_args(const Call& call, symbol##Args* args, int64_t* items);
#include "native/engine/plan_ops.def"

/// Other kernels of those operations, over weights that stay codes.
struct FcCodedF32Args;
Fault fill_args(const Call& call, FcCodedF32Args* args, int64_t* items);
struct FcCodedS8Args;
Fault fill_args(const Call& call, FcCodedS8Args* args, int64_t* items);

/// Inputs of the operations that multiply by constant weights, as plan_ops.def has them. The float ones end
/// with the bias.
inline constexpr uint32_t kWeightsInput = 1;
inline constexpr uint32_t kBiasInput = 2;
inline constexpr uint32_t kMultiplierInput = 3;
inline constexpr uint32_t kWeightZeroPointsInput = 4;
inline constexpr uint32_t kResidualInput = 5;

/// Extents and weights of those operations, which their kernels and packers take besides.
#define HONE_WEIGHTED_OP(symbol)                           \
  struct symbol##Shape;                                    \
  struct symbol##Weights;                                  \
  void fill_shape(const Call& call, symbol##Shape* shape); \
  void find_weights(const NodeView& node, symbol##Weights* weights);
HONE_WEIGHTED_OP(ConvS8)
HONE_WEIGHTED_OP(DwconvS8)
HONE_WEIGHTED_OP(FcS8)
HONE_WEIGHTED_OP(ConvF32)
HONE_WEIGHTED_OP(DwconvF32)
HONE_WEIGHTED_OP(FcF32)
HONE_WEIGHTED_OP(RecurrentF32)
HONE_WEIGHTED_OP(FcCodedF32)
HONE_WEIGHTED_OP(FcCodedS8)
#undef HONE_WEIGHTED_OP

/// The table that the arguments of average_pool_s8 point to, by elements of a window.
std::vector<float> average_pool_multipliers(const NodeView& node);

/// Addresses of the operands; those of packed weights and scratch are the program's own business.
template <typename Args>
void bind_args(const Call& call, const Memory& memory, Args* args) {
  const auto set = [&](auto** pointer, const PlanTensor& tensor) {
    *pointer = reinterpret_cast<std::remove_reference_t<decltype(*pointer)>>(memory.at(tensor));
  };
  set(&args->y, call.y());
  if constexpr (requires { args->x; }) set(&args->x, call.x(0));
  if constexpr (requires { args->a; }) set(&args->a, call.x(0));
  if constexpr (requires { args->b; }) set(&args->b, call.x(1));
  if constexpr (requires { args->index; }) {
    set(&args->weights, call.x(1));
    set(&args->index, call.x(2));
  }
  if constexpr (requires { args->table; }) set(&args->table, call.x(1));
  if constexpr (requires { args->residual; })
    if (const PlanTensor* residual = call.optional(kResidualInput)) set(&args->residual, *residual);
}
void bind_args(const Call& call, const Memory& memory, CopyNdArgs* args);
void bind_args(const Call& call, const Memory& memory, MatmulF32Args* args);
void bind_args(const Call& call, const Memory& memory, MatmulS8Args* args);
void bind_args(const Call& call, const Memory& memory, SelectArgs* args);
void bind_args(const Call& call, const Memory& memory, GatherArgs* args);
void bind_args(const Call& call, const Memory& memory, GatherElementsArgs* args);
void bind_args(const Call& call, const Memory& memory, GatherNdArgs* args);
void bind_args(const Call& call, const Memory& memory, ScatterElementsArgs* args);
void bind_args(const Call& call, const Memory& memory, ScatterNdArgs* args);
void bind_args(const Call& call, const Memory& memory, NormalizeF32Args* args);
void bind_args(const Call& call, const Memory& memory, RecurrentF32Args* args);
void bind_args(const Call& call, const Memory& memory, TopKArgs* args);
void bind_args(const Call& call, const Memory& memory, RequireArgs* args);
void bind_args(const Call& call, const Memory& memory, NonZeroArgs* args);
void bind_args(const Call& call, const Memory& memory, NonMaxSuppressionArgs* args);

}  // namespace hone
