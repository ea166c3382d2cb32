#include "ledger/types/account.hpp"

namespace quorate::ledger {

void encode(crypto::Writer& out, const Account& account) {
  out.u64(account.balance);
  out.u64(account.nonce);
}

Account decode_account(crypto::Reader& in) {
  Account account;
  account.balance = in.u64();
  account.nonce = in.u64();
  return account;
}

crypto::Address decode_address(crypto::Reader& in) {
  const auto address = in.fixed<crypto::Address>();
  if (in.ok() && address.bytes[0] != crypto::kAddressVersion) {
    in.reject("an address has version " + std::to_string(address.bytes[0]) + ", only " +
              std::to_string(crypto::kAddressVersion) + " is known");
  }
  return address;
}

}  // namespace quorate::ledger
