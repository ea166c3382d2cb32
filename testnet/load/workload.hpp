// Transactions signed before the clock starts: transfers of 1 between the load accounts, round
// robin, so that transaction k belongs to account k modulo the number of accounts and consecutive
// transactions rarely share a nonce lane. Immutable once signed; any thread may read.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "crypto/keys.hpp"
#include "ledger/types/transaction.hpp"

namespace quorate::testnet {

struct LoadAccount {
  crypto::AccountKey key;
  crypto::Address address;
  std::uint64_t next_nonce = 1;
};

class Workload {
 public:
  // Signs `count` transactions on two threads and advances the accounts' nonces.
  static Workload sign(const Digest& chain_id, std::vector<LoadAccount>& accounts,
                       std::size_t count);

  std::size_t size() const { return ids_.size(); }
  const Digest& id(std::size_t k) const { return ids_[k]; }
  // The transaction as "0x…"; every one has the same length.
  std::string_view hex(std::size_t k) const {
    return std::string_view(text_).substr(k * stride_, stride_);
  }
  // Nothing when the id is not of this workload.
  std::optional<std::size_t> find(const Digest& id) const;

 private:
  std::string text_;
  std::size_t stride_ = 0;
  std::vector<Digest> ids_;
  std::unordered_map<Digest, std::size_t, FixedHash<Digest>> index_;
};

}  // namespace quorate::testnet
