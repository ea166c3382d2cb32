#include "crypto/codec/reader.hpp"

namespace quorate::crypto {

ByteView Reader::raw(std::size_t size) {
  if (!ok()) return {};
  if (size > rest_.size()) {
    reject("ends too early");
    return {};
  }
  const ByteView out = rest_.first(size);
  rest_ = rest_.subspan(size);
  return out;
}

ByteView Reader::bytes(std::size_t max) {
  const std::uint32_t size = u32();
  if (size > max) {
    reject("a length of " + std::to_string(size) + " is above its cap of " + std::to_string(max));
    return {};
  }
  return raw(size);
}

std::string Reader::text(std::size_t max) {
  const ByteView view = bytes(max);
  return {view.begin(), view.end()};
}

std::uint32_t Reader::count(std::uint32_t min, std::uint32_t max, std::size_t element_size_min) {
  const std::uint32_t value = u32();
  if (!ok()) return 0;
  if (value < min || value > max) {
    reject("a count of " + std::to_string(value) + " is not in " + std::to_string(min) + ".." +
           std::to_string(max));
    return 0;
  }
  if (static_cast<std::uint64_t>(value) * element_size_min > rest_.size()) {
    reject("a count of " + std::to_string(value) + " is more than the bytes that follow can hold");
    return 0;
  }
  return value;
}

void Reader::reject(std::string_view why) {
  if (!error_) error_ = std::string(why);
}

Result<void> Reader::finish() const {
  if (error_) return fail(Errc::bad_encoding, *error_);
  if (!rest_.empty()) {
    return fail(Errc::bad_encoding, std::to_string(rest_.size()) + " bytes too many");
  }
  return {};
}

}  // namespace quorate::crypto
