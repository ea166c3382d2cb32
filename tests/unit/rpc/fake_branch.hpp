// A branch of blocks that work proves, at a price of next to nothing: what the fake backend and the
// tests of the light client mine. One thread at a time.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "crypto/work/bits.hpp"
#include "crypto/work/header_rules.hpp"
#include "ledger/chain.hpp"

namespace quorate::rpc::test {

inline constexpr std::uint32_t kFakeDepth = 2;
inline constexpr std::uint32_t kFakeBits = 0x207fffff;  // two hashes

// Makes the chain one of proof of work: one block per second, committed kFakeDepth deep.
void prove_by_work(ledger::Genesis& genesis);

class FakeBranch {
 public:
  explicit FakeBranch(const ledger::Genesis& genesis);

  // A block on the tip, `seconds` after it.
  void mine(std::vector<ledger::TransactionPtr> transactions, const Digest& exec_ref,
            std::uint64_t seconds = 1);
  // Goes back, so that another branch can be mined from here.
  void cut(Height tip);

  Height tip() const { return Height(blocks_.size()); }
  std::uint64_t depth(Height height) const;
  const crypto::work::Header& header(Height height) const { return at(height).header; }
  ledger::OrderedBlock ordered(Height height) const;
  // Where a transaction stands, the lowest height first.
  std::optional<Height> find(const Digest& transaction_id) const;
  // With a nonce that meets the bits.
  static void work_on(crypto::work::Header& header);
  // With one that does not.
  static void spoil(crypto::work::Header& header);
  // What a client asks for, encoded.
  std::vector<Bytes> page(Height from, std::uint32_t limit) const;
  const crypto::work::HeaderRules& rules() const { return rules_; }
  const crypto::work::Context& context() const {
    return blocks_.empty() ? genesis_ : blocks_.back().context;
  }

 private:
  struct Block {
    crypto::work::Header header;
    crypto::work::Context context;
    std::vector<ledger::TransactionPtr> transactions;
  };
  const Block& at(Height height) const { return blocks_.at(height.value() - 1); }

  crypto::work::HeaderRules rules_;
  crypto::work::Context genesis_;
  PublicKey miner_;
  std::vector<Block> blocks_;
};

}  // namespace quorate::rpc::test
