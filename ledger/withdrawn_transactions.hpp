// Transactions that rewinds took back: what a node must still be able to say of them when they are
// never executed again. The newest kMax, kept with the chain through restarts. Not thread-safe.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "crypto/address.hpp"
#include "crypto/base/result.hpp"
#include "crypto/base/strong_int.hpp"

namespace quorate::ledger {

struct WithdrawnBlock;

struct WithdrawnTransaction {
  Digest id;
  Height height;  // it was executed at
  crypto::Address sender;
  std::uint64_t nonce = 0;
  Height valid_until;  // inclusive; 0 = no limit
};

class WithdrawnTransactions {
 public:
  static constexpr std::size_t kMax = 20'000;

  // What a block had executed, blocks in order of height. The latest withdrawal of one counts.
  void add(const WithdrawnBlock& block);
  std::optional<WithdrawnTransaction> find(const Digest& id) const;

  Bytes encode() const;
  // Error corrupt.
  static Result<WithdrawnTransactions> decode(ByteView encoded);

 private:
  void add(const WithdrawnTransaction& transaction);

  std::map<std::uint64_t, WithdrawnTransaction> by_order_;
  std::map<Digest, std::uint64_t> order_of_;
  std::uint64_t next_ = 0;
};

}  // namespace quorate::ledger
