#pragma once
#include <memory>

#include "native/engine/model.h"

namespace hone {

/// Runs the first variant of a model with gaps between the rows of its intermediate tensors, one tensor after
/// the other and all of them together, and as a program with memory of its own that builds on call.h alone:
/// every tensor must be the same. Null, or what went wrong.
const char* stress_programs(const std::shared_ptr<Model>& model);

}  // namespace hone
