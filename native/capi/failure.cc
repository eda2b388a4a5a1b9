#include "native/capi/failure.h"

#include <algorithm>
#include <cstring>

namespace hone {
namespace {

struct Row {
  const char *code, *message, *hint;
};

constexpr Row kRows[] = {
#define HONE_ERROR(code, message, hint) {code, message, hint},
#include "native/capi/errors.def"
};

/// Text in memory of fixed size.
class Writer {
 public:
  template <size_t size>
  explicit Writer(char (&text)[size]) : text_(text), room_(size - 1) {
    text[0] = '\0';
  }

  void write(std::string_view part) {
    size_t count = std::min(part.size(), room_ - used_);
    if (count < part.size()) {
      while (count > 0 && (part[count] & 0xC0) == 0x80) --count;  // no part of a letter
      room_ = used_ + count;
    }
    std::memcpy(text_ + used_, part.data(), count);
    used_ += count;
    text_[used_] = '\0';
  }

 private:
  char* const text_;
  size_t room_;
  size_t used_ = 0;
};

/// Writes `text` with its places `{key}` filled; a place without detail stays as it is.
void write_filled(std::string_view text, std::initializer_list<Detail> details, Writer* writer) {
  for (size_t open; (open = text.find('{')) != std::string_view::npos;) {
    writer->write(text.substr(0, open));
    const size_t close = text.find('}', open);
    const std::string_view key = text.substr(open + 1, close - open - 1);
    const auto* const found = std::find_if(details.begin(), details.end(),
                                           [key](const Detail& detail) { return detail.key == key; });
    writer->write(found == details.end() ? text.substr(open, close - open + 1) : found->value);
    text.remove_prefix(close + 1);
  }
  writer->write(text);
}

}  // namespace

int fail(hone_error* error, const char* code, std::initializer_list<Detail> details) {
  if (error == nullptr) return 1;
  Writer head(error->code), body(error->message);
  head.write(code);
  for (const Row& row : kRows) {
    if (std::strcmp(row.code, code) != 0) continue;
    write_filled(row.message, details, &body);
    body.write(". ");
    write_filled(row.hint, details, &body);
  }
  return 1;
}

int succeed(hone_error* error) {
  if (error != nullptr) error->code[0] = error->message[0] = '\0';
  return 0;
}

}  // namespace hone
