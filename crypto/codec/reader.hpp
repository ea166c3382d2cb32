// The canonical binary encoding, reading half. The first failure sticks: later reads give zeros and
// empty views, and finish() reports it, so a decoder reads straight through and checks once.
// A length is checked against its cap and the bytes that are left before anything is allocated.
#pragma once

#include <cstdint>
#include <optional>

#include "crypto/base/bytes.hpp"
#include "crypto/base/result.hpp"
#include "crypto/base/strong_int.hpp"

namespace quorate::crypto {

class Reader {
 public:
  // `input` must outlive the reader and the views it returns.
  explicit Reader(ByteView input) : rest_(input) {}

  std::uint8_t u8() { return integer<std::uint8_t>(); }
  std::uint16_t u16() { return integer<std::uint16_t>(); }
  std::uint32_t u32() { return integer<std::uint32_t>(); }
  std::uint64_t u64() { return integer<std::uint64_t>(); }
  template <class Strong>
  Strong integer_of() {
    return Strong(integer<typename Strong::rep>());
  }
  // Exactly `size` bytes, a view into the input.
  ByteView raw(std::size_t size);
  // u32 length, at most `max`, then the bytes: a view into the input.
  ByteView bytes(std::size_t max);
  std::string text(std::size_t max);
  template <class Fixed>
  Fixed fixed() {
    Fixed out;
    const ByteView view = raw(Fixed::kSize);
    if (ok()) std::copy(view.begin(), view.end(), out.bytes.begin());
    return out;
  }
  // A u32 element count in min..max whose elements, at `element_size_min` bytes each, can still
  // follow; 0 after a failure, so that a loop over it ends.
  std::uint32_t count(std::uint32_t min, std::uint32_t max, std::size_t element_size_min);

  // Records a failure found by the caller (an unknown type, a value out of range).
  void reject(std::string_view why);
  bool ok() const { return !error_; }
  std::size_t left() const { return rest_.size(); }
  ByteView rest() const { return rest_; }
  // Error bad_encoding when a read failed or bytes are left over.
  Result<void> finish() const;

 private:
  template <class Int>
  Int integer() {
    const ByteView view = raw(sizeof(Int));
    if (!ok()) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Int); ++i) {
      value |= static_cast<std::uint64_t>(view[i]) << (8U * i);
    }
    return static_cast<Int>(value);
  }

  ByteView rest_;
  std::optional<std::string> error_;
};

}  // namespace quorate::crypto
