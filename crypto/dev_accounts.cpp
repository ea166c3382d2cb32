#include "crypto/dev_accounts.hpp"

#include "crypto/base/assert.hpp"
#include "crypto/mnemonic.hpp"

namespace quorate::crypto {
namespace {

const std::array<Address, kDevNames.size()>& addresses() {
  static const std::array<Address, kDevNames.size()> all = [] {
    std::array<Address, kDevNames.size()> out;
    for (std::uint32_t i = 0; i < out.size(); ++i) {
      out[i] = address_of(dev_account_key(i).public_key());
    }
    return out;
  }();
  return all;
}

}  // namespace

AccountKey dev_account_key(std::uint32_t index) {
  QUORATE_ASSERT(index < kDevNames.size());
  static const Bytes seed = mnemonic_seed(kDevMnemonic);  // no secret: everybody knows it
  return derive_account(seed, index);
}

Address dev_account_address(std::uint32_t index) { return addresses().at(index); }

std::optional<std::uint32_t> dev_account_index(std::string_view name) {
  const auto found = std::find(kDevNames.begin(), kDevNames.end(), name);
  if (found == kDevNames.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - kDevNames.begin());
}

bool is_dev_account(const Address& address) {
  return std::find(addresses().begin(), addresses().end(), address) != addresses().end();
}

bool is_dev_chain_name(std::string_view chain_name) {
  return chain_name.starts_with("local-") || chain_name.starts_with("dev-");
}

}  // namespace quorate::crypto
