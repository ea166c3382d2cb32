// The clients of a timed run, as `quorate-testnet load` has them: transfers due on a fixed schedule
// whatever comes back, gathered for a few milliseconds into one request, spread over all replicas.
// A transaction is final for its client when the replica that took it in has a block certificate
// for it, or for a descendant, or, where work decides, has executed it. What a replica had taken in
// when it crashed goes to the next one, and so does what is not final after a while. One run owns
// it.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>

#include "tests/sim/timed/timed_node.hpp"

namespace quorate::sim::timed {

class Load {
 public:
  // `client_machine` (may be null: then clients cost nothing) is charged for the clients' work.
  Load(Shared& shared, std::vector<std::unique_ptr<TimedNode>>& nodes, Machine* client_machine);

  void begin();
  void executed(ReplicaId replica, const ledger::ExecutedBlock& block);
  // Every height up to this one is final at the replica.
  void sealed(ReplicaId replica, Height height);
  // Of proof of work: the replica's ledger stands at `height` again; what its branch holds.
  void withdrawn(ReplicaId replica, Height height,
                 const std::vector<ledger::WithdrawnBlock>& blocks);
  void prefers(ReplicaId replica, const Digest& tip, Height height);
  // What this block holds is known from now on.
  void shown(const Digest& block);
  void crashed(ReplicaId replica);
  // The replica has answered a request.
  void answered(ReplicaId replica);

  std::size_t offered() const { return entries_.size(); }
  std::size_t open() const { return open_.size(); }
  // How often a transaction that was final for its client was withdrawn.
  std::uint64_t reversed() const { return reversed_; }
  // How many of those are not final again.
  std::uint64_t lost_for_good() const;
  // Everything that is ever due has been made.
  bool complete() const { return due(entries_.size()).since_origin >= shared_.scene.length; }

 private:
  struct Entry {
    ledger::TransactionPtr transaction;
    Instant due;
    Instant sent;
    std::uint32_t home = 0;
    std::uint32_t previous_home = 0;
    bool final = false;
    bool ever_final = false;
    std::optional<Height> executed_at;
    std::optional<Height> included_at;  // on the branch that its home preferred then
  };
  using Numbers = std::vector<std::size_t>;

  struct Branch {                       // of one replica
    std::set<Digest> blocks;            // that were on it once
    std::set<Digest> unknown;           // of those, not shown to anybody yet
    std::map<Height, Numbers> waiting;  // by the height that the tip must reach
    Height tip;
  };

  Instant due(std::size_t number) const;
  void gather();
  Duration patience() const;
  void keep_patience();
  Entry make(std::size_t number);
  void send_again(const Numbers& numbers);
  void request(std::uint32_t home, const Numbers& numbers);
  void use_connections(std::uint32_t home);
  void ask(std::uint32_t home, const Numbers& numbers);
  void settle(std::uint32_t node);
  void finish(const Numbers& numbers);
  void include(ReplicaId replica, const Digest& block);
  void look_deep(Branch& branch);
  std::optional<std::uint32_t> next_up(std::uint32_t node) const;
  // On the clients' CPUs, if they are charged.
  void work(std::size_t transactions, std::function<void()> then);

  Shared& shared_;
  std::vector<std::unique_ptr<TimedNode>>& nodes_;
  Machine* machine_;
  Machine::ThreadId thread_ = 0;
  std::deque<Work> jobs_;
  struct Connections {
    std::deque<std::size_t> queue;
    unsigned busy = 0;
  };
  std::vector<Connections> connections_;  // by replica
  std::vector<Entry> entries_;
  std::set<std::size_t> open_;
  std::vector<std::map<Height, Numbers>> waiting_;  // by replica: executed there, not sealed
  std::vector<Height> sealed_to_;                   // by replica
  std::uint64_t next_ticket_ = 1;
  std::uint64_t reversed_ = 0;
  std::vector<Branch> branches_;
};

}  // namespace quorate::sim::timed
