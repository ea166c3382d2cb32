// An account as the state holds it. A transfer to an unknown address creates the account.
#pragma once

#include <cstdint>

#include "crypto/address.hpp"
#include "crypto/codec/reader.hpp"
#include "crypto/codec/writer.hpp"

namespace quorate::ledger {

struct Account {
  std::uint64_t balance = 0;
  std::uint64_t nonce = 0;  // of the last executed transaction; the first transaction has nonce 1
  auto operator<=>(const Account&) const = default;
};

void encode(crypto::Writer& out, const Account& account);  // balance u64 || nonce u64
Account decode_account(crypto::Reader& in);
// The 21 bytes of an address; rejects an unknown version byte, so that a transfer cannot go where
// no key leads.
crypto::Address decode_address(crypto::Reader& in);

}  // namespace quorate::ledger
