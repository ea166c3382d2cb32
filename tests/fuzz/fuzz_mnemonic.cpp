// Mnemonics and derivation paths: normalising is idempotent, entropy survives its mnemonic.
#include "crypto/base/assert.hpp"
#include "crypto/mnemonic.hpp"

using namespace quorate;
using namespace quorate::crypto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto normal = normalize_mnemonic(text);
  if (normal) {
    const auto again = normalize_mnemonic(*normal);
    QUORATE_ASSERT(again && *again == *normal);
  }
  const auto mnemonic = mnemonic_from_entropy({data, std::min<std::size_t>(size, 32)});
  if (mnemonic) QUORATE_ASSERT(normalize_mnemonic(*mnemonic).has_value());
  const auto secret = derive(as_bytes("a seed"), text);
  QUORATE_ASSERT(secret || secret.error().code == Errc::invalid_argument);
  return 0;
}
