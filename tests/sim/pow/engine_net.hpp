// The engines of a network without nodes around them: no ledger, no transactions, disks that are
// durable at once, links of one fixed delay. What is asked about mining alone (how fast difficulty
// follows the hash rate, what a private branch is worth) needs thousands of blocks, and here one
// costs microseconds. One thread.
#pragma once

#include <memory>
#include <vector>

#include "consensus/factory.hpp"
#include "tests/sim/key_ring.hpp"
#include "tests/sim/pow/chain_options.hpp"
#include "tests/sim/pow/virtual_miner.hpp"

namespace quorate::sim::pow {

class EngineNet {
 public:
  struct Setup {
    ChainOptions chain;
    std::uint32_t engines = 4;
    std::uint64_t seed = 1;
    Duration delay{0};  // one way
  };
  explicit EngineNet(const Setup& setup);
  ~EngineNet();

  void run_until(Instant when);
  // Runs the next event.
  void step();
  Instant now() const { return timeline_.now(); }
  VirtualMiner& miner(std::size_t engine);
  // Of all engines together, in equal shares.
  void set_hashes_per_second(std::uint64_t rate);
  consensus::Status::Branch branch(std::size_t engine) const;
  const Lottery& lottery() const { return lottery_; }
  // The blocks on the branch that the first engine prefers, lowest first.
  std::vector<const MinedBlock*> best_branch() const;
  // How often the commits of some engine were withdrawn.
  std::uint64_t rewinds() const { return rewinds_; }
  // Nothing between them arrives any more, or again.
  void separate(std::size_t engine, bool apart);
  // Links to and from this engine take so long from now on, where others take longer.
  void set_delay(std::size_t engine, Duration one_way);
  // From now on nobody hears of the blocks that it mines, nor anything else, before they are shown.
  void keep_back(std::size_t engine);
  // Everybody gets what it kept back up to this height, and what it is about to tell up to there.
  void show(std::size_t engine, Height highest);
  // The key that it mines with.
  const PublicKey& key(std::size_t engine) const;

 private:
  struct Seat;
  void deliver(Seat& seat, consensus::Input input);
  void later(Seat& seat, consensus::Input input, Duration delay = Duration(0));
  void perform(Seat& seat, const consensus::Persist& record);
  void perform(Seat& seat, const consensus::Send& message);
  void carry(Seat& seat, const consensus::Send& message);
  void perform(Seat& seat, const consensus::RequestProposal& request);
  void perform(Seat& seat, const consensus::Validate& question);
  void perform(Seat& seat, const consensus::Commit& commit);
  void perform(Seat& seat, const consensus::Rewind& rewind);
  void perform(Seat& seat, const consensus::StartWork& work);
  void perform(Seat& seat, const consensus::CancelWork& work);
  void perform(Seat& seat, const consensus::LoadPayload& wanted);
  void perform(Seat& seat, const consensus::LoadCertificates& range);
  void perform(Seat& seat, const consensus::Halt& halt);
  template <class Other>
  void perform(Seat&, const Other&) {}  // needs no answer
  void keep_ticking(Seat& seat);

  Timeline timeline_;
  Lottery lottery_;
  KeyRing keys_;
  ledger::Genesis genesis_;
  std::vector<std::unique_ptr<Seat>> seats_;
  std::uint64_t rewinds_ = 0;
};

}  // namespace quorate::sim::pow
