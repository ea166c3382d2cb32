// The envelope of a keystore comes from a file that anybody may have written. It is parsed, and
// opened where that costs little.
#include "crypto/base/assert.hpp"
#include "crypto/keystore.hpp"

using namespace quorate;
using namespace quorate::crypto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto info = read_keystore_info(text);
  if (!info) {
    QUORATE_ASSERT(info.error().code == Errc::bad_encoding);
    return 0;
  }
  if (info->cost.memory_kib > 64 || info->cost.passes > 2) return 0;
  const auto key = open_keystore(text, "correct horse");
  QUORATE_ASSERT(!key || address_of(key->public_key()) == info->address);
  return 0;
}
