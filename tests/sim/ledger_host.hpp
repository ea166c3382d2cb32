// One replica's ledger on a simulated machine: the real Chain over a MemoryStore, executing in
// virtual time. A crash loses what was queued, and ledger writes that were not synced; a rewind
// that was under way has then happened or not.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <variant>

#include "ledger/chain.hpp"
#include "ledger/memory_snapshots.hpp"
#include "ledger/memory_store.hpp"
#include "node/replica.hpp"
#include "tests/sim/world.hpp"

namespace quorate::sim {

class LedgerHost final : public node::Executor {
 public:
  struct Hooks {
    // BlocksExecuted, LedgerRewound, PayloadLoaded or BlocksRead, in the life that asked.
    std::function<void(node::ReplicaInput)> answer;
    // Blocks are durable (and not yet reported).
    std::function<void(const ledger::ExecutedBlock&, const ledger::OrderedBlock&)> durable;
    std::function<void(Height, const std::vector<crypto::ReplicaSignature>&)> sealed;
    // True = the replica crashes here.
    std::function<bool()> crash_after_execution;
    // The replica's life ends here; the next one begins with an empty ledger.
    std::function<void()> replaced;
    // The ledger stands at this height again, durably (and not yet reported). May be empty.
    std::function<void(const ledger::Rewound&)> rewound = nullptr;
  };
  LedgerHost(World& world, Machine machine, Prng prng, Hooks hooks);

  // Before open(): what kind of chain it is. Without it, one that seals and never goes back.
  void follow(const consensus::EngineTraits& traits);
  void open();
  void crash();
  void set_slow(bool slow) { slow_ = slow; }
  bool executing() const { return busy_; }
  const ledger::Chain& chain() const { return *chain_; }
  bool is_open() const { return chain_ != nullptr; }
  // Executes something else than was agreed on from now on.
  void tamper_with(std::function<void(ledger::OrderedBlock&)> tamper) {
    tamper_ = std::move(tamper);
  }
  // What a crash right now would leave.
  std::unique_ptr<ledger::MemoryStore> copy() const { return store_->copy(false); }
  // While the machine is down: other contents.
  void restore(std::unique_ptr<ledger::MemoryStore> store);

  void execute(ledger::OrderedBlock block) override;
  void rewind(Height height) override;
  void store_seals(Height height, std::vector<crypto::ReplicaSignature> seals) override;
  void load_payload(Digest id) override;
  void load_certificates(Height first, std::uint32_t count) override;
  void read_blocks(ReplicaId for_peer, Height from, std::uint32_t blocks_max,
                   std::size_t bytes_max) override;
  // Announced first, done at the next open(), as on a real disk.
  void replace_ledger(node::LedgerReplacement replacement) override;
  // How far a ledger that was replaced had executed; 0 = it never was.
  Height executed_before() const { return executed_before_; }

 private:
  struct Seals {
    Height height;
    std::vector<crypto::ReplicaSignature> signatures;
  };
  struct Back {  // takes the blocks above back
    Height to;
  };
  using Job = std::variant<ledger::OrderedBlock, Seals, Back>;
  void add(Job job);
  void start_next();
  void finish_rewind(Height to);
  void finish_blocks(std::size_t count);
  void tamper(ledger::OrderedBlock& block);
  void after(Duration delay, std::function<void()> action);

  World& world_;
  Machine machine_;
  Prng prng_;
  Hooks hooks_;
  std::unique_ptr<ledger::MemoryStore> store_;
  std::optional<ledger::MemorySnapshots> snapshots_;  // as on a disk, whatever happens to the store
  bool seals_ = true;
  bool replace_at_open_ = false;
  Height executed_before_;
  std::unique_ptr<ledger::Chain> chain_;
  std::deque<Job> jobs_;
  bool busy_ = false;
  bool slow_ = false;
  std::function<void(ledger::OrderedBlock&)> tamper_;
  std::uint64_t life_ = 0;
};

}  // namespace quorate::sim
