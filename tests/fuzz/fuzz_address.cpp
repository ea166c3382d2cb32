// Addresses and bech32m: a text that is accepted is, in lower case, the one text of its value.
#include "crypto/address.hpp"
#include "crypto/base/assert.hpp"
#include "crypto/bech32m.hpp"

using namespace quorate;
using namespace quorate::crypto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  std::string lower = text;
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;

  const auto decoded = bech32m_decode(text);
  if (decoded) QUORATE_ASSERT(bech32m_encode(decoded->prefix, decoded->values) == lower);
  const auto address = parse_address(text);
  if (address) QUORATE_ASSERT(decoded.has_value() && to_text(*address) == lower);

  // Every address survives its text.
  const auto made = Address::from({data, std::min(size, Address::kSize)});
  if (made && made->bytes[0] == kAddressVersion) {
    const auto again = parse_address(to_text(*made));
    QUORATE_ASSERT(again && *again == *made);
  }
  return 0;
}
