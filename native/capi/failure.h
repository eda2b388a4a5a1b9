#pragma once
#include <initializer_list>
#include <string_view>

#include "native/capi/hone.h"

namespace hone {

/// What fills the place `{key}` of a message.
struct Detail {
  std::string_view key, value;
};

/// Writes code and message (that of lib/core/error-table.ts with the details, then what to do) into `error`
/// unless it is null, cut at the end of a letter when it is too long. Returns 1, for the caller to return.
/// Allocates nothing.
int fail(hone_error* error, const char* code, std::initializer_list<Detail> details);

/// Empties `error` unless it is null. Returns 0, for the caller to return.
int succeed(hone_error* error);

}  // namespace hone
