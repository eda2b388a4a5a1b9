#pragma once

/// Loops over compile-time indices. Compilers unroll a plain loop too late to keep arrays of vectors in
/// registers.
namespace hone {
namespace {

/// A number that is also a type: usable as an array index and as a template argument.
template <int kValue>
struct Index {
  constexpr operator int() const { return kValue; }  // NOLINT(google-explicit-constructor)
};

/// body(Index<0>), body(Index<1>), ... body(Index<kCount - 1>).
template <int kCount, int kFirst = 0, class Body>
[[gnu::always_inline]] constexpr void unroll(const Body& body) {
  if constexpr (kFirst < kCount) {
    body(Index<kFirst>{});
    unroll<kCount, kFirst + 1>(body);
  }
}

}  // namespace
}  // namespace hone
