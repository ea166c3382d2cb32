// The inside of the chain, shared by chain.cpp (opening and execution), chain_reads.cpp (what
// others ask) and chain_rewind.cpp (taking blocks back). Nothing else includes this.
#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <shared_mutex>
#include <string>

#include "ledger/chain.hpp"
#include "ledger/state_machine.hpp"

namespace quorate::ledger {

class TreeView final : public StateView {
 public:
  TreeView(Height height, StateTree tree) : height_(height), tree_(std::move(tree)) {}
  Height height() const override { return height_; }
  Digest root() const override { return tree_.root(); }
  std::optional<Account> account(const crypto::Address& address) const override {
    return tree_.account(address);
  }
  StateProof prove(const crypto::Address& address) const override { return tree_.prove(address); }
  const StateTree& tree() const { return tree_; }

 private:
  Height height_;
  StateTree tree_;
};
using TreeViewPtr = std::shared_ptr<const TreeView>;

// "header at height 7", for errors.
std::string at(std::string_view what, Height height);

struct Chain::Impl {
  Impl(KvStore& s, const Genesis& g, ChainOptions o)
      : store(s), genesis(g), options(o), machine(g) {}

  // ---- chain.cpp ----
  Result<void> write_genesis();
  Result<void> load();
  Result<void> load_certified();
  Result<void> load_withdrawn();
  bool has_seal_quorum(Height height) const;
  // The newest height at or below it that has a block certificate, where there are seals.
  Height certified_at_or_below(Height height) const;
  void publish(Head head, TreeViewPtr view);
  // With the mutex held; never takes the head's. To be freed without it: that takes a while.
  std::vector<TreeViewPtr> take_old_states();
  Result<void> snapshot_if_due();
  Result<void> drop_snapshots_above(Height height);

  // ---- chain_reads.cpp: what several keys answer, with `whole` held or on the executing thread
  // ----
  // What stands above the head belongs to no block of the chain: it is being erased. Error
  // not_found, naming `what`.
  Result<void> must_stand(Height height, std::string_view what) const;
  std::optional<TreeViewPtr> recent_at(Height height) const;  // with the mutex held
  Result<Header> header(Height height) const;
  Result<StoredBlock> block(Height height) const;
  Result<BlockCertificate> certificate(Height height) const;
  Result<std::vector<Receipt>> receipts(Height height) const;
  // The height that a hash or an id leads to.
  Result<Height> indexed(const Bytes& key, const std::string& what) const;
  Result<TransactionLocation> find(const Digest& transaction_id) const;

  // ---- chain_rewind.cpp ----
  struct Restored {
    Header header;
    StateTree tree;
    Height executed_from;
  };
  // Reads what is about to be withdrawn, within the limits.
  Result<void> read_withdrawn(Rewound& out, Height height) const;
  Result<WithdrawnBlock> withdrawn_block(Height height) const;
  Result<Restored> restore(Height height) const;
  std::optional<Restored> read_snapshot(Height height) const;
  Result<Restored> newest_at_or_below(Height height) const;
  Result<void> execute_again(Restored& on, Height height) const;
  WriteBatch batch_back_to(const Restored& target) const;
  void publish_rewound(Restored target, WithdrawnTransactions taken_back);

  KvStore& store;
  const Genesis genesis;
  const ChainOptions options;
  const StateMachine machine;
  const std::uint32_t quorum =
      crypto::quorum_size(static_cast<std::uint32_t>(genesis.validators.size()));

  // Written by the executing thread alone; that thread may read them without the lock.
  Header head_header;
  StateTree tree;
  Height newest_snapshot;  // 0 = none
  std::atomic<std::uint64_t> rewinds{0};

  // Held by a rewind while it changes the store, and shared by answers that take several reads.
  // Execution only adds, so it needs no lock: a block's height becomes known when all of it is
  // there. Taken before `mutex`.
  mutable std::shared_mutex whole;
  mutable std::mutex mutex;  // guards what follows
  Head head;
  std::deque<TreeViewPtr> recent;  // consecutive heights, the head's last
  Height certified;
  WithdrawnTransactions taken_back;
};

}  // namespace quorate::ledger
