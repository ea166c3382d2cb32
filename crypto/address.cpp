#include "crypto/address.hpp"

#include "crypto/bech32m.hpp"
#include "crypto/hash.hpp"

namespace quorate::crypto {
namespace {

// "qrt1", 34 characters for 21 bytes, and the checksum.
constexpr std::size_t kTextSize = 44;

tl::unexpected<Error> bad_address(std::string_view why) {
  return fail(Errc::bad_encoding, "not an address: " + std::string(why));
}

// Upper case throughout is as good as lower case: QR codes are smaller with it.
bool has_prefix(std::string_view text) {
  return text.starts_with("qrt1") || text.starts_with("QRT1");
}

}  // namespace

Address address_of(const PublicKey& account_key) {
  const Blake2b160 key_hash = blake2b_160(account_key);
  Address out;
  out.bytes[0] = kAddressVersion;
  std::copy(key_hash.bytes.begin(), key_hash.bytes.end(), out.bytes.begin() + 1);
  return out;
}

std::string to_text(const Address& address) {
  return bech32m_encode(kAddressPrefix, to_five_bits(address));
}

Result<Address> parse_address(std::string_view text) {
  // A missing or doubled character also breaks the checksum; the length is the clearer complaint.
  if (has_prefix(text) && text.size() != kTextSize) {
    return bad_address("it has " + std::to_string(text.size()) + " characters instead of " +
                       std::to_string(kTextSize));
  }
  const auto decoded = bech32m_decode(text);
  if (!decoded && (has_prefix(text) || decoded.error().detail.find("mixes") != std::string::npos)) {
    return bad_address(decoded.error().detail);
  }
  if (!decoded || decoded->prefix != kAddressPrefix) {
    return bad_address("an address starts with \"" + std::string(kAddressPrefix) + "1\"");
  }
  const auto bytes = from_five_bits(decoded->values);
  if (!bytes) return bad_address(bytes.error().detail);
  QUORATE_TRY(const Address address, Address::from(*bytes));
  if (address.bytes[0] != kAddressVersion) {
    return bad_address("version " + std::to_string(address.bytes[0]) +
                       " is not known here; only version 0 is");
  }
  return address;
}

}  // namespace quorate::crypto
