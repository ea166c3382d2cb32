// One replica of a timed run: the real node::Replica behind ports that charge for what they do. Its
// threads are those of the node program (network, RPC, verify pool, consensus, vote log, ledger) on
// a machine that others may share. What a step sends, logs or executes leaves when the CPU time of
// that step is over.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <unordered_set>

#include "ledger/memory_snapshots.hpp"
#include "ledger/memory_store.hpp"
#include "tests/sim/pow/virtual_miner.hpp"
#include "tests/sim/timed/shared.hpp"
#include "tests/sim/timed/stopwatch.hpp"
#include "tests/sim/timed/verify_queue.hpp"

namespace quorate::sim::timed {

class TimedNode final : public node::Transport,
                        public node::VoteLog,
                        public node::Executor,
                        public node::PayloadChecker,
                        public node::Clients,
                        public node::Observer {
 public:
  struct Hooks {
    std::function<void(ReplicaId, const ledger::ExecutedBlock&)> executed;
    std::function<void(ReplicaId, Height)> sealed;
    std::function<void(ReplicaId, Height, const std::vector<ledger::WithdrawnBlock>&)> withdrawn;
    // The replica prefers the branch that ends in this block.
    std::function<void(ReplicaId, const Digest&, Height)> prefers;
    // How many of a submission were refused.
    std::function<void(ReplicaId, node::Ticket, std::size_t refused)> admitted;
  };
  TimedNode(Shared& shared, Machine& machine, Wires& wires, ReplicaId self, Hooks hooks,
            Stopwatch* stopwatch);
  ~TimedNode() override;

  // Before the first start; without one it does not mine.
  void set_miner(pow::VirtualMiner* miner) { miner_ = miner; }
  void start();
  void crash();
  bool up() const { return replica_ != nullptr; }
  void connected(ReplicaId peer, bool is_connected);
  void arrive(Flight flight);
  // A client's request. `refused` counts what the mempool did not take.
  void submit(node::Ticket ticket, std::vector<ledger::TransactionPtr> transactions);
  // Tells clients about so many final transactions, then calls `done`.
  void answer(std::size_t transactions, std::function<void()> done);
  void equivocate(bool on) { equivocating_ = on; }
  // Sends at most one proposal in so long; zero = at once.
  void propose_slowly(Duration pace) { pace_ = pace; }

  ReplicaId self() const { return self_; }
  // Somebody's answer, as by a port.
  void deliver(node::ReplicaInput input) { post(Lane::urgent, std::move(input)); }
  const node::Replica& replica() const { return *replica_; }
  const ledger::Chain& chain() const { return *chain_; }
  std::uint64_t invalid_frames() const { return invalid_frames_; }

 private:
  void send(std::optional<ReplicaId> to, node::TrafficClass traffic, Bytes body) override;
  void disconnect(ReplicaId peer, const std::string& reason) override;
  void append(consensus::PersistToken token, Bytes record, bool snapshot) override;
  void execute(ledger::OrderedBlock block) override;
  void rewind(Height height) override;
  void store_seals(Height height, std::vector<crypto::ReplicaSignature> seals) override;
  void load_payload(Digest id) override;
  void load_certificates(Height first, std::uint32_t count) override;
  void read_blocks(ReplicaId for_peer, Height from, std::uint32_t blocks_max,
                   std::size_t bytes_max) override;
  void replace_ledger(node::LedgerReplacement replacement) override;
  void check(Digest id, Height height, Bytes payload) override;
  void admitted(node::Ticket ticket, std::vector<std::optional<node::Refusal>> results) override;
  void notice(const node::Notice& notice) override;

  enum class Lane : std::uint8_t { urgent, bulk };
  struct Record {
    consensus::PersistToken token;
    Bytes bytes;
    bool snapshot = false;
  };
  struct Seals {
    Height height;
    std::vector<crypto::ReplicaSignature> signatures;
  };
  struct Back {  // takes the blocks above back
    Height to;
  };
  using LedgerJob = std::variant<ledger::OrderedBlock, Seals, Back>;
  struct NetJob {
    Flight flight;
    bool outwards = false;
  };

  void post(Lane lane, node::ReplicaInput input);
  // What a step asks for happens when its CPU time is over.
  void effect(std::function<void()> action) { effects_.push_back(std::move(action)); }
  std::function<void()> guarded(std::function<void()> action) const;
  void after(Duration delay, std::function<void()> action);

  // ---- the threads ----
  std::optional<Work> next_net();
  std::optional<Work> next_rpc();
  std::optional<Work> next_step();
  std::optional<Work> next_vote_sync();
  std::optional<Work> next_ledger();
  Work serve(Flight flight);
  using TransactionBatch = std::shared_ptr<const std::vector<ledger::TransactionPtr>>;
  void check_request(node::Ticket ticket, const TransactionBatch& batch);
  std::vector<Work> chunks(const std::vector<ledger::TransactionPtr>& transactions,
                           const std::function<void()>& done);
  Work step(node::ReplicaInput input);
  std::optional<node::ReplicaInput> take_input();
  void sleep_until_deadline();
  void look_at_branch();
  void finish_votes(std::size_t records);
  void finish_blocks(std::vector<ledger::OrderedBlock> blocks);
  void finish_rewind(Height to);

  Duration price(const Frame& frame);
  Duration price(const std::vector<ledger::TransactionPtr>& transactions, std::size_t begin,
                 std::size_t end);
  bool first_met(const ledger::TransactionPtr& transaction);
  void leave(const FramePtr& frame, std::optional<ReplicaId> to);
  void leave_equivocating(const FramePtr& frame);
  void depart(const FramePtr& frame, ReplicaId to);
  void wake_verifiers();

  Shared& shared_;
  Machine& machine_;
  Wires& wires_;
  ReplicaId self_;
  Hooks hooks_;
  Stopwatch* stopwatch_;
  class CountingSigner;
  std::unique_ptr<CountingSigner> signer_;
  pow::VirtualMiner* miner_ = nullptr;
  Machine::ThreadId net_thread_, rpc_thread_, step_thread_, vote_thread_, ledger_thread_;
  std::vector<Machine::ThreadId> verify_threads_;

  // What a crash loses.
  std::unique_ptr<node::Replica> replica_;
  std::shared_ptr<const consensus::MessageVerifier> verifier_;
  std::unique_ptr<ledger::Chain> chain_;
  std::set<ReplicaId> connected_;
  std::deque<NetJob> net_;
  std::deque<Work> rpc_;
  VerifyQueue verify_;
  std::deque<node::ReplicaInput> urgent_, bulk_, turn_;
  std::deque<Record> unsynced_;
  std::deque<LedgerJob> ledger_jobs_;
  bool vote_syncing_ = false;
  bool ledger_syncing_ = false;
  std::vector<std::function<void()>> effects_;
  std::optional<Instant> tick_at_;
  Instant tick_not_before_;
  std::unordered_set<std::uint64_t> signatures_known_;
  std::vector<bool> transactions_known_;
  Digest tip_;  // that was last spoken of
  std::uint64_t life_ = 0;

  // What it keeps.
  std::deque<Bytes> vote_log_;
  ledger::MemoryStore store_;
  ledger::MemorySnapshots snapshots_{store_};  // of proof of work alone

  bool equivocating_ = false;
  Duration pace_{0};
  Instant next_proposal_;
  std::uint64_t invalid_frames_ = 0;
};

// Another proposal for the same slot, signed by the same primary.
FramePtr twin_of(const Frame& frame, const Shared& shared, const crypto::Signer& signer);

}  // namespace quorate::sim::timed
