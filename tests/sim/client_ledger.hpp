// What the clients of a run know of the ledger, and where they leave what they submit.
#pragma once

#include "crypto/address.hpp"
#include "crypto/base/bytes.hpp"

namespace quorate::sim {

class ClientLedger {
 public:
  virtual ~ClientLedger() = default;
  virtual void submitted(const Digest& id) = 0;
  // The last nonce that an account has used.
  virtual std::uint64_t nonce(const crypto::Address& address) const = 0;
  virtual std::uint64_t balance(const crypto::Address& address) const = 0;
};

}  // namespace quorate::sim
