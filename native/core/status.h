#pragma once
#include <string>
#include <utility>

namespace hone {

/// Outcome of an operation that can fail: ok, or an error code of lib/core/error-table.ts with the reason.
class [[nodiscard]] Status {
 public:
  Status() = default;
  /// `code` must be a string literal such as "E_PLAN_FORMAT".
  Status(const char* code, std::string reason) : code_(code), reason_(std::move(reason)) {}

  [[nodiscard]] bool ok() const { return code_ == nullptr; }
  [[nodiscard]] const char* code() const { return code_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  const char* code_ = nullptr;
  std::string reason_;
};

}  // namespace hone
