#pragma once
#include <string>

#include "native/capi/failure.h"
#include "native/engine/plan.h"

namespace hone {

enum class Side { kInput, kOutput };

/// An input or output with the memory that the caller gave.
struct BoundPort {
  std::string name;
  Side side;
  const PlanPort* port;
  size_t bytes;
  const void* data = nullptr;
};

/// The port as callers see it.
hone_port describe(const BoundPort& port);

/// Takes the memory of the caller. E_OPTION_VALUE (null), E_INPUT_LENGTH or E_OUTPUT_LENGTH, E_INPUT_TYPE or
/// E_OUTPUT_TYPE (alignment).
int bind(BoundPort* port, const void* data, size_t bytes, hone_error* error);

/// Fails because `bytes` were given.
int refuse_length(const BoundPort& port, size_t bytes, hone_error* error);

/// Whether the memory of two ports overlaps.
bool overlap(const BoundPort& a, const BoundPort& b);

}  // namespace hone
