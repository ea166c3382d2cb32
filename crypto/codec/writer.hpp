// The canonical binary encoding, writing half. Fixed field order, fixed-width little-endian
// integers, byte strings behind a u32 length, no maps, no optional tails: one value has exactly one
// encoding, so that hashing and signing bytes is hashing and signing the value.
#pragma once

#include <cstdint>

#include "crypto/base/bytes.hpp"
#include "crypto/base/strong_int.hpp"

namespace quorate::crypto {

class Writer {
 public:
  void u8(std::uint8_t value) { out_.push_back(value); }
  void u16(std::uint16_t value) { integer(value); }
  void u32(std::uint32_t value) { integer(value); }
  void u64(std::uint64_t value) { integer(value); }
  void raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  // u32 length, then the bytes.
  void bytes(ByteView value);
  void text(std::string_view value) { bytes(as_bytes(value)); }
  template <class Tag, class Rep>
  void integer_of(StrongInt<Tag, Rep> value) {
    integer(value.value());
  }

  std::size_t size() const { return out_.size(); }
  void reserve(std::size_t size) { out_.reserve(size); }
  Bytes take() && { return std::move(out_); }
  ByteView view() const { return out_; }

 private:
  template <class Int>
  void integer(Int value) {
    for (std::size_t i = 0; i < sizeof(Int); ++i) {
      out_.push_back(static_cast<std::uint8_t>(value >> (8U * i)));
    }
  }

  Bytes out_;
};

}  // namespace quorate::crypto
