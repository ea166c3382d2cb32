// The mempool's inside, shared by mempool.cpp (admission, expiry, the interface), mempool_lanes.cpp
// (the lanes' bookkeeping) and mempool_rewind.cpp (the ledger went back).
#pragma once

#include <map>
#include <set>
#include <unordered_map>

#include "node/mempool.hpp"

namespace quorate::node {

// Of one transaction in a payload.
inline constexpr std::size_t kPayloadLengthBytes = 4;

struct MempoolEntry {
  ledger::TransactionPtr transaction;
  std::uint64_t arrival = 0;
  Instant admitted;
  std::uint64_t order = 0;  // among those without a gap before them; 0 behind one
  Instant ready_since;      // while without one
  bool kept = false;        // over a rewind: waits aside rather than being dropped as unpayable

  std::size_t payload_bytes() const { return transaction->encoded.size() + kPayloadLengthBytes; }
};

struct MempoolLane {
  crypto::Address address;
  std::uint64_t executed = 0;                     // the account's nonce in the state
  std::map<std::uint64_t, MempoolEntry> waiting;  // by nonce, all above `executed`
  std::multiset<std::uint64_t> reserved;          // nonces in payloads that are in flight
  std::uint64_t cursor = 1;                       // the first nonce that is not in flight
  std::uint64_t ready_end = 1;                    // [cursor, ready_end) is proposable
  std::size_t in_flight = 0;                      // waiting entries below the cursor
  Proposable proposable;
  std::uint64_t turn = 0;  // place in the order of turns; 0 = not in it
};

struct Mempool::Impl {
  using Entry = MempoolEntry;
  using Lane = MempoolLane;

  MempoolLimits limits;
  bool submit_any = true;
  std::set<crypto::Address> submitters;

  std::map<crypto::Address, Lane> lanes;
  // Looked up only, never iterated: its order depends on the library.
  std::unordered_map<Digest, ledger::TransactionPtr, FixedHash<Digest>> by_id;
  std::map<std::pair<Instant, std::uint64_t>, Digest> by_arrival;  // for lifetime_max
  std::set<std::pair<std::uint64_t, Digest>> by_last_height;       // valid_until_height, if any
  std::map<std::uint64_t, ledger::TransactionPtr> by_order;  // those without a gap before them
  std::map<std::uint64_t, Lane*> turns;                      // lanes with proposables
  std::set<std::pair<std::uint64_t, Digest>> behind_gap;     // (arrival, id)
  std::map<Digest, Entry> aside;                             // in no lane
  Proposable proposable;
  std::size_t in_flight = 0;
  std::size_t bytes = 0;
  Instant now;  // as last told
  std::uint64_t next_arrival = 1;
  std::uint64_t next_order = 1;
  std::uint64_t next_turn = 1;

  // ---- lanes ----

  void set_turn(Lane& lane);
  void count_proposable(Lane& lane, const Entry& entry, bool add);
  void count_in_flight(Lane& lane, bool add);
  // Whether an entry has a gap before it. Once without one it keeps its place in the order.
  void set_ready(Entry& entry, bool ready);
  // Removes an entry from the sums, wherever in its lane it stands.
  void uncount(Lane& lane, std::uint64_t nonce, const Entry& entry);
  // Moves ready_end over the entries that follow without a gap.
  void extend(Lane& lane);
  // Moves the cursor over what is reserved, and ready_end with it.
  void advance(Lane& lane);
  // Puts the whole lane in order anew: for the rare changes that move a boundary back.
  void reindex(Lane& lane);
  void forget_ids(const Entry& entry);
  // Nonces up to `nonce` are used: what waits there can never execute.
  void raise_executed(Lane& lane, std::uint64_t nonce, Departed* departed = nullptr);
  void settle(std::map<crypto::Address, Lane>::iterator it);
  Lane& lane_of(const crypto::Address& address, std::uint64_t executed);
  // Releases one reservation of the transaction's nonce.
  void unreserve(const ledger::TransactionPtr& transaction);
  // Drops one waiting transaction that was not executed.
  void drop(const Digest& id);

  // ---- admission ----

  std::optional<Refusal> check_sender(const ledger::VerifiedTransaction& transaction,
                                      const ledger::StateView& state) const;
  std::optional<Refusal> check_nonce(std::uint64_t nonce, std::uint64_t executed,
                                     std::uint64_t next_free) const;
  // Makes room for a transaction that follows without a gap, at the cost of one behind a gap.
  bool make_room(std::size_t size, bool ready);
  // Drops the lane's next transaction if it can only fail now. Its like is refused by every other
  // replica, so keeping it would wait for nothing.
  void drop_unpayable(const Lane& lane, std::uint64_t balance);
  void insert(Entry entry, std::uint64_t executed);
  // Enters it wherever one looks for it, except in its lane.
  void remember_ids(const Entry& entry);

  // ---- after a rewind ----

  enum class Fit : std::uint8_t { now, later, never };
  Fit fit(const ledger::VerifiedTransaction& transaction, const ledger::StateView& state) const;
  // Puts it in its lane or aside, or forgets it. False: it belongs here, and there is no room.
  bool take_back(const ledger::TransactionPtr& transaction, const ledger::StateView& state,
                 Instant admitted);
  // Empties the pool and returns what was in it, in order of arrival. What is in flight stays so,
  // with the nonces of `state`.
  std::vector<Entry> take_apart(const ledger::StateView& state);
  void put_aside(Entry entry);
  // A block may have brought what those that wait aside lack.
  void retry_aside(const ledger::StateView& state);
};

// What the transaction would take from its sender's balance; none = more than any balance.
std::optional<std::uint64_t> cost_of(const ledger::Transaction& transaction);

}  // namespace quorate::node
