#include "crypto/codec/writer.hpp"

#include "crypto/base/assert.hpp"

namespace quorate::crypto {

void Writer::bytes(ByteView value) {
  QUORATE_ASSERT(value.size() <= 0xFFFFFFFFU);
  u32(static_cast<std::uint32_t>(value.size()));
  raw(value);
}

}  // namespace quorate::crypto
