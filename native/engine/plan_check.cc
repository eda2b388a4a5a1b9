#include "native/engine/plan_check.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "native/engine/plan_ops.h"
#include "native/kernels/weight_codes.h"

namespace hone {
namespace {

bool add_fits(uint64_t a, uint64_t b, uint64_t limit) { return a <= limit && b <= limit - a; }

bool is_constant(const PlanTensor& tensor) {
  return tensor.place == PlanPlace::kConstant || tensor.place == PlanPlace::kEncoded;
}

/// Whether a tensor is what an operand must be. That a scale is finite is checked with the tensor.
bool is_of_kind(const PlanTensor& tensor, OperandKind kind) {
  const auto constant_of = [&](PlanType type) { return is_constant(tensor) && tensor.type == type; };
  switch (kind) {
    case OperandKind::kReal:
      return tensor.type == PlanType::kFloat32;
    case OperandKind::kGrid:
      return tensor.type == PlanType::kInt8 && tensor.scale > 0;
    case OperandKind::kByte:
      return tensor.type == PlanType::kInt8 || tensor.type == PlanType::kUint8;
    case OperandKind::kAny:
      return true;
    case OperandKind::kNumber:
      return tensor.type != PlanType::kFloat16;
    case OperandKind::kWhole:
      return tensor.type != PlanType::kFloat16 && tensor.type != PlanType::kFloat32;
    case OperandKind::kIndex:
      return tensor.type == PlanType::kInt64 || tensor.type == PlanType::kInt32;
    case OperandKind::kTruth:
      return tensor.type == PlanType::kBool;
    case OperandKind::kConstS8:
      return constant_of(PlanType::kInt8);
    case OperandKind::kConstU8:
      return constant_of(PlanType::kUint8);
    case OperandKind::kConstS32:
      return constant_of(PlanType::kInt32);
    case OperandKind::kConstF32:
      return constant_of(PlanType::kFloat32);
  }
  return false;
}

const char* describe_kind(OperandKind kind) {
  constexpr const char* kWords[] = {"float32",
                                    "int8 with a scale",
                                    "int8 or uint8",
                                    "anything",
                                    "a number that is not float16",
                                    "an integer or bool",
                                    "int64 or int32",
                                    "bool",
                                    "a constant of int8",
                                    "a constant of uint8",
                                    "a constant of int32",
                                    "a constant of float32"};
  return kWords[static_cast<int>(kind)];
}

/// Whether two tensors share memory. Rows that lie equally far apart may pass each other, as the parts of a
/// concatenation do.
bool touch(const PlanTensor& a, const PlanTensor& b) {
  if (a.place != b.place) return false;
  if (a.place == PlanPlace::kPort) return &a == &b;
  if (a.offset >= b.offset + b.bytes || b.offset >= a.offset + a.bytes) return false;
  const auto bytes_of = [](const PlanTensor& tensor, int64_t elements) {
    return static_cast<uint64_t>(elements * element_bytes(tensor.type));
  };
  const uint64_t pitch = bytes_of(a, row_pitch(a));
  if (pitch != bytes_of(b, row_pitch(b))) return true;
  const uint64_t ahead =
      a.offset < b.offset ? (b.offset - a.offset) % pitch : pitch - (a.offset - b.offset) % pitch;
  return ahead < bytes_of(a, row_length(a)) || ahead + bytes_of(b, row_length(b)) > pitch;
}

/// Dims in 1..2^31-1, product of at most kPlanMaxMemory bytes.
template <typename Shaped>
bool shape_bytes(const Shaped& shaped, uint64_t* bytes) {
  if (shaped.rank > kPlanMaxRank || static_cast<uint32_t>(shaped.type) >= kElementTypeCount) return false;
  uint64_t product = static_cast<uint64_t>(element_bytes(shaped.type));
  for (uint32_t i = 0; i < shaped.rank; ++i) {
    if (shaped.dims[i] == 0 || shaped.dims[i] > INT32_MAX || product > kPlanMaxMemory / shaped.dims[i])
      return false;
    product *= shaped.dims[i];
  }
  *bytes = product;
  return true;
}

/// Bytes of a tensor with gaps between its rows, from those without. False where no tensor can lie so:
/// constants, ports and states have none, and a pitch holds a row.
bool add_gaps(const PlanTensor& tensor, uint64_t* bytes) {
  const int64_t length = row_length(tensor);
  if (tensor.place != PlanPlace::kArena || tensor.pitch < length) return false;
  const uint64_t element = static_cast<uint64_t>(element_bytes(tensor.type));
  const uint64_t gaps = *bytes / (element * static_cast<uint64_t>(length)) - 1;
  const uint64_t gap = (tensor.pitch - static_cast<uint64_t>(length)) * element;
  if (gap != 0 && gaps > (kPlanMaxMemory - *bytes) / gap) return false;
  *bytes += gaps * gap;
  return true;
}

class Checker {
 public:
  explicit Checker(const Plan& plan) : plan_(plan) {}

  Status run(uint64_t* state_bytes) {
    if (plan_.variants().empty()) return bad("there is no variant");
    for (const PlanWeights& weights : plan_.encoded())
      if (Fault fault = find_code_fault(weights); !fault.empty())
        return bad("weights held as codes, number " + std::to_string(&weights - plan_.encoded().data()) +
                   ": " + fault);
    // Consecutive ranges keep the time of this check linear: no record belongs to two variants.
    PlanVariant expected{};
    for (const PlanVariant& variant : plan_.variants()) {
      variant_ = &variant;
      variant_name_ = {};
      record_kind_ = nullptr;
      if (!enter(nullptr, variant.name)) return bad("a name is out of bounds");
      if (!ranges_follow(variant, &expected)) return bad("its records do not follow those before");
      if (variant.arena_bytes > kPlanMaxMemory) return bad("the arena is too large");
      if (Status status = check_tensors(variant); !status.ok()) return status;
      if (Status status = check_ports(variant); !status.ok()) return status;
      if (Status status = check_counts(variant); !status.ok()) return status;
      if (Status status = check_states(variant); !status.ok()) return status;
      if (Status status = check_nodes(variant); !status.ok()) return status;
    }
    if (next_count_ != plan_.counts().size()) {
      variant_ = nullptr;
      return bad("a count belongs to no output, or not in its place");
    }
    *state_bytes = state_bytes_;
    return Status();
  }

 private:
  enum class Port : uint8_t { kNone, kInput, kOutput };

  /// Remembers the record that is being checked, for the message of `bad`. False when its name is out of
  /// bounds.
  bool enter(const char* kind, PlanString name) {
    if (!add_fits(name.offset, name.bytes, plan_.header().strings.count)) return false;
    if (kind == nullptr) variant_name_ = name;
    record_kind_ = kind;
    record_name_ = name;
    return true;
  }

  /// The fault, with the place in front. Messages are made only here: a name may be as long as the file.
  Status bad(const std::string& what) const {
    const auto quoted = [&](PlanString name) {
      return " '" + std::string(plan_.string(name).substr(0, 200)) + "'";
    };
    std::string where = variant_ == nullptr ? "plan" : "variant" + quoted(variant_name_);
    if (record_kind_ != nullptr) where += " " + std::string(record_kind_) + quoted(record_name_);
    return Status("E_PLAN_FORMAT", where + ": " + what);
  }

  bool ranges_follow(const PlanVariant& variant, PlanVariant* expected) const {
    const auto take = [](uint32_t first, uint32_t count, uint32_t* next, size_t limit) {
      if (first != *next || !add_fits(first, count, std::min<size_t>(limit, UINT32_MAX))) return false;
      *next += count;
      return true;
    };
    uint32_t* next_port = &expected->first_input;
    return take(variant.first_tensor, variant.tensor_count, &expected->first_tensor,
                plan_.tensors().size()) &&
           take(variant.first_node, variant.node_count, &expected->first_node, plan_.nodes().size()) &&
           take(variant.first_input, variant.input_count, next_port, plan_.ports().size()) &&
           take(variant.first_output, variant.output_count, next_port, plan_.ports().size()) &&
           take(variant.first_state, variant.state_count, &expected->first_state, plan_.states().size());
  }

  /// Codes and table of weights inside the section.
  Fault find_code_fault(const PlanWeights& weights) const {
    const bool scaled = weights.encoding == WeightEncoding::kScaled;
    const bool codebook = weights.encoding == WeightEncoding::kCodebook;
    if (weights.encoding == WeightEncoding::kBlockSparse || weights.encoding == WeightEncoding::kEntropy)
      return std::string(weights.encoding == WeightEncoding::kEntropy ? "entropy-coded" : "block-sparse") +
             " ones are read by a later engine";
    if (weights.encoding > WeightEncoding::kEntropy) return "unknown encoding";
    if (weights.bits != 4 && weights.bits != 8) return "bits of a code";
    const bool bytes_in_bytes = weights.type == PlanType::kInt8 && weights.bits == 8;
    const bool type_fits =
        scaled ? weights.type == PlanType::kFloat32
               : weights.type == PlanType::kInt8 || (codebook && weights.type == PlanType::kFloat32);
    if (!type_fits || bytes_in_bytes) return "type of its elements";
    if (weights.flags > (scaled ? kPlanZeroPoints : 0) || weights.reserved != 0) return "unknown flags";
    if (weights.row == 0 || weights.row >= kPlanMaxWindowReach) return "length of its rows";
    if (scaled ? weights.group == 0 || weights.group > weights.row : weights.group != 0)
      return "length of its groups";
    const uint64_t row_bytes = static_cast<uint64_t>(code_row_bytes(weights.bits, weights.row));
    if (weights.bytes == 0 || weights.bytes % row_bytes != 0) return "size of its codes";
    const uint64_t limit = plan_.header().weights.count;
    if (weights.offset % 64 != 0 || !add_fits(weights.offset, weights.bytes, limit))
      return "place of its codes";
    const uint64_t rows = weights.bytes / row_bytes;
    const uint64_t element = static_cast<uint64_t>(element_bytes(weights.type));
    uint64_t table_bytes = codebook ? element << weights.bits : 0;
    if (scaled)  // groups are no more than codes
      table_bytes = rows * static_cast<uint64_t>(code_groups(weights.row, weights.group)) *
                    (element + (weights.flags & kPlanZeroPoints));
    if (weights.table % 64 != 0 || !add_fits(weights.table, table_bytes, limit)) return "place of its table";
    return {};
  }

  /// What a tensor of place kEncoded says besides.
  bool fits_codes(const PlanTensor& tensor) const {
    if (tensor.offset >= plan_.encoded().size()) return false;
    const PlanWeights& weights = plan_.encoded()[tensor.offset];
    return weights.type == tensor.type && count_elements(tensor) == count_code_rows(weights) * weights.row;
  }

  Status check_tensors(const PlanVariant& variant) {
    for (uint32_t i = 0; i < variant.tensor_count; ++i) {
      const PlanTensor& tensor = plan_.tensors()[variant.first_tensor + i];
      if (!enter("tensor", tensor.name)) return bad("the next name is out of bounds");
      uint64_t bytes = 0;
      if (!shape_bytes(tensor, &bytes)) return bad("type or extents");
      if (tensor.place > PlanPlace::kEncoded) return bad("unknown place");
      if (tensor.pitch != 0 && !add_gaps(tensor, &bytes)) return bad("its rows lie where they cannot");
      if (bytes != tensor.bytes) return bad("its size does not follow from its extents");
      if (tensor.place == PlanPlace::kEncoded && !fits_codes(tensor)) return bad("its codes are of others");
      const uint64_t alignment = tensor.pitch == 0 ? 64 : static_cast<uint64_t>(element_bytes(tensor.type));
      const bool is_placed = tensor.place != PlanPlace::kPort && tensor.place != PlanPlace::kEncoded;
      if (is_placed && tensor.offset % alignment != 0) return bad("offset is not aligned");
      if (!std::isfinite(tensor.scale) || tensor.scale < 0) return bad("scale is not finite and positive");
      if (tensor.zero_point < -128 || tensor.zero_point > 127) return bad("zero point is no int8");
      uint64_t limit = kPlanMaxMemory;
      if (tensor.place == PlanPlace::kArena) limit = variant.arena_bytes;
      if (tensor.place == PlanPlace::kConstant) limit = plan_.header().weights.count;
      if (is_placed && !add_fits(tensor.offset, tensor.bytes, limit))
        return bad("it ends outside its memory");
      if (tensor.place == PlanPlace::kState)
        state_bytes_ = std::max(state_bytes_, tensor.offset + tensor.bytes);
    }
    return Status();
  }

  bool in_variant(const PlanVariant& variant, uint32_t tensor) const {
    return tensor >= variant.first_tensor && tensor - variant.first_tensor < variant.tensor_count;
  }

  /// Every tensor of place port belongs to exactly one port.
  Status check_ports(const PlanVariant& variant) {
    owners_.assign(variant.tensor_count, Port::kNone);
    for (uint32_t i = 0; i < variant.input_count + variant.output_count; ++i) {
      const PlanPort& port = plan_.ports()[variant.first_input + i];
      if (!enter("port", port.name)) return bad("the next name is out of bounds");
      uint64_t bytes = 0;
      if (!in_variant(variant, port.tensor)) return bad("no such tensor");
      const PlanTensor& tensor = plan_.tensors()[port.tensor];
      Port& owner = owners_[port.tensor - variant.first_tensor];
      if (tensor.place != PlanPlace::kPort || owner != Port::kNone) return bad("its tensor is not its own");
      if (!shape_bytes(port, &bytes) || port.type != tensor.type || bytes != tensor.bytes)
        return bad("type or extents do not fit its tensor");
      owner = i < variant.input_count ? Port::kInput : Port::kOutput;
    }
    record_kind_ = nullptr;
    for (uint32_t i = 0; i < variant.tensor_count; ++i)
      if (plan_.tensors()[variant.first_tensor + i].place == PlanPlace::kPort && owners_[i] == Port::kNone)
        return bad("a tensor of place port has no port");
    return Status();
  }

  /// The counts of a variant's outputs, which stand in the order of the ports: one each at most.
  Status check_counts(const PlanVariant& variant) {
    record_kind_ = nullptr;
    for (uint32_t i = 0; i < variant.output_count; ++i) {
      const uint32_t index = variant.first_output + i;
      if (next_count_ == plan_.counts().size() || plan_.counts()[next_count_].port != index) continue;
      const PlanCount& count = plan_.counts()[next_count_++];
      const PlanPort& port = plan_.ports()[index];
      if (!enter("port", port.name)) return bad("the next name is out of bounds");
      if (count.axis >= port.rank) return bad("its count is of no axis");
      if (!in_variant(variant, count.tensor)) return bad("its count is no tensor");
      const PlanTensor& tensor = plan_.tensors()[count.tensor];
      if (tensor.place != PlanPlace::kArena || tensor.type != PlanType::kInt64 || count_elements(tensor) != 1)
        return bad("its count is no int64 of one element in the arena");
    }
    return Status();
  }

  /// Pairs of equal tensors that do not touch each other.
  Status check_states(const PlanVariant& variant) const {
    std::vector<const PlanTensor*> all;
    for (uint32_t i = 0; i < variant.state_count; ++i) {
      const PlanState& state = plan_.states()[variant.first_state + i];
      if (!in_variant(variant, state.input_tensor) || !in_variant(variant, state.output_tensor))
        return bad("a state refers to no tensor");
      const PlanTensor& input = plan_.tensors()[state.input_tensor];
      const PlanTensor& output = plan_.tensors()[state.output_tensor];
      if (input.place != PlanPlace::kState || output.place != PlanPlace::kState ||
          input.bytes != output.bytes || input.type != output.type || input.scale != output.scale ||
          input.zero_point != output.zero_point)
        return bad("a state pairs unlike tensors");
      all.push_back(&input);
      all.push_back(&output);
    }
    std::sort(all.begin(), all.end(),
              [](const PlanTensor* a, const PlanTensor* b) { return a->offset < b->offset; });
    for (size_t i = 1; i < all.size(); ++i)
      if (all[i - 1]->offset + all[i - 1]->bytes > all[i]->offset) return bad("states overlap");
    return Status();
  }

  Status check_nodes(const PlanVariant& variant) {
    for (uint32_t i = 0; i < variant.node_count; ++i) {
      const NodeView view = {plan_, variant.first_node + i};
      const PlanNode& node = view.node();
      if (!enter("node", node.name)) return bad("the next name is out of bounds");
      Fault fault = find_reference_fault(variant, node);
      if (fault.empty()) fault = find_excess(node);
      if (fault.empty()) fault = find_operand_fault(view);
      if (fault.empty()) fault = find_rule(node.op).check(view);
      if (fault.empty()) fault = find_overlap(view);
      if (fault.empty() && node.op == PlanOp::kSkip &&
          static_cast<uint32_t>(plan_.params<PlanSkip>(node).count) > variant.node_count - 1 - i)
        fault = "it leaves out more nodes than there are";
      if (!fault.empty()) return bad(fault);
    }
    return Status();
  }

  /// Operands that are not what the row of the operation says.
  static Fault find_operand_fault(const NodeView& view) {
    const PlanOpRule& rule = find_rule(view.node().op);
    const auto fault_of = [](const OperandRule& operand, const PlanTensor* tensor) {
      if (tensor != nullptr && tensor->place == PlanPlace::kEncoded && !operand.is_coded)
        return Fault(operand.name) + " is held as codes";
      if (tensor == nullptr || is_of_kind(*tensor, operand.kind)) return Fault();
      return Fault(operand.name) + " is not " + describe_kind(operand.kind);
    };
    for (uint32_t i = 0; i < view.node().output_count; ++i)
      if (Fault fault = fault_of(rule.outputs[i], &view.y(i)); !fault.empty()) return fault;
    for (uint32_t i = 0; i < view.node().input_count; ++i)
      if (Fault fault = fault_of(rule.inputs[i], view.optional(i)); !fault.empty()) return fault;
    return {};
  }

  /// An output may touch another operand only where the kernel allows the first output to be that input,
  /// element for element.
  static Fault find_overlap(const NodeView& view) {
    const PlanOpRule& rule = find_rule(view.node().op);
    for (uint32_t o = 0; o < view.node().output_count; ++o) {
      const PlanTensor& y = view.y(o);
      for (uint32_t other = 0; other < o; ++other)
        if (touch(view.y(other), y)) return "its outputs overlap";
      for (uint32_t i = 0; i < view.node().input_count; ++i) {
        const PlanTensor* x = view.optional(i);
        if (x == nullptr || !touch(*x, y)) continue;
        const bool in_place =
            o == 0 && rule.inputs[i].is_in_place && x->offset == y.offset && x->bytes == y.bytes;
        if (!in_place) return "its output overlaps an input";
      }
    }
    return {};
  }

  /// What opening costs must follow from the plan, not multiply: nodes may share weights, but each one checks
  /// and packs them again, and average pools get a table as long as their window.
  Fault find_excess(const PlanNode& node) {
    if (const PlanTensor* weights = plan_.input(node, 1); weights != nullptr && is_constant(*weights))
      shared_bytes_ += weights->bytes;
    if (node.op == PlanOp::kAveragePoolS8) {
      const PlanWindow& window = plan_.params<PlanPool>(node).window;
      const int64_t area = std::max<int64_t>(window.kernel_h, 0) * std::max<int64_t>(window.kernel_w, 0);
      pool_area_ += std::min(area, kPlanMaxPoolArea);
    }
    const uint64_t limit = std::max<uint64_t>(plan_.size() * 1024, 64 << 20);
    if (shared_bytes_ > std::min(limit, kPlanMaxMemory)) return "too many nodes share large weights";
    if (pool_area_ > kPlanMaxPoolArea) return "the windows of all average pools are too large together";
    return {};
  }

  /// Operation, operand counts and indices, who may be written, place of the parameters.
  Fault find_reference_fault(const PlanVariant& variant, const PlanNode& node) const {
    if (static_cast<uint32_t>(node.op) >= kPlanOpCount) return "unknown operation";
    const PlanOpRule& rule = find_rule(node.op);
    if (node.output_count < rule.least_outputs || node.output_count > rule.outputs.size() ||
        node.input_count < rule.least_inputs || node.input_count > rule.inputs.size())
      return "number of operands";
    const uint64_t operand_bytes = 4ull * (uint64_t{node.output_count} + node.input_count);
    if (!add_fits(4ull * node.first_operand, operand_bytes, plan_.header().operands.count))
      return "operands are out of bounds";
    const auto operands = plan_.operands(node);
    const uint32_t required = node.output_count + rule.least_inputs;
    for (size_t i = 0; i < operands.size(); ++i)
      if (operands[i] == kPlanNone ? i < required : !in_variant(variant, operands[i]))
        return "an operand is no tensor";
    for (uint32_t i = 0; i < node.output_count; ++i) {
      const PlanPlace place = plan_.output(node, i).place;
      if (is_constant(plan_.output(node, i))) return "it writes a constant";
      if (place == PlanPlace::kPort && owners_[operands[i] - variant.first_tensor] == Port::kInput)
        return "it writes an input";
    }
    if (node.params_bytes != rule.params_bytes || node.params_offset % 8 != 0 ||
        !add_fits(node.params_offset, node.params_bytes, plan_.header().params.count))
      return "parameters are out of bounds";
    return {};
  }

  const Plan& plan_;
  const PlanVariant* variant_ = nullptr;
  PlanString variant_name_{};
  const char* record_kind_ = nullptr;
  PlanString record_name_{};
  uint64_t state_bytes_ = 0;
  uint64_t shared_bytes_ = 0;  ///< weights over all nodes, each time they are used
  int64_t pool_area_ = 0;
  size_t next_count_ = 0;
  std::vector<Port> owners_;
};

}  // namespace

Status check_plan(const Plan& plan, uint64_t* state_bytes) { return Checker(plan).run(state_bytes); }

}  // namespace hone
