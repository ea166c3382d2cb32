// One machine's vote log on a simulated disk: FIFO, group sync, and a crash that loses what was not
// yet synced (from the newest backwards; the disk may have taken parts of it). Keeps the synced
// image, since what is in it decides whether a message may be sent. While the machine is down the
// image can be damaged, swapped or removed; what a start makes of it is decided by the product's
// own reader of log files and by the rules of its vote log store.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "node/ports.hpp"
#include "node/runtime/vote_log_format.hpp"
#include "tests/sim/world.hpp"

namespace quorate::sim {

class Disk final : public node::VoteLog {
 public:
  struct Hooks {
    // VotesPersisted, in the life that appended.
    std::function<void(consensus::PersistToken)> persisted;
    // A record was handed over; it is not durable.
    std::function<void()> appended;
    // A sync ended and is not yet reported; true = the machine crashes here.
    std::function<bool()> crash_after_sync;
  };
  struct Record {
    consensus::PersistToken token;
    Bytes bytes;
    bool snapshot = false;
    std::uint64_t index = 0;
    std::uint64_t synced = 0;  // the last durable index when it was written
  };
  // All that is on the disk.
  struct Contents {
    std::deque<Record> records;
    std::uint64_t last_index = 0;
    std::uint64_t state_index = 0;  // as validator_state.json has it: the newest snapshot's
    Bytes rest;                     // what a crash left of records that were never synced
    std::optional<Bytes> damaged;   // the bytes of the file, if somebody changed them
  };
  struct Opened {
    std::vector<Bytes> records;   // oldest first
    std::string observer_reason;  // why this key must not vote; empty when it may
  };
  Disk(World& world, Machine machine, Prng prng, Hooks hooks);

  void append(consensus::PersistToken token, Bytes record, bool snapshot) override;

  void set_slow(bool slow) { slow_ = slow; }
  // Nothing more gets here before the crash that follows.
  void power_off() { off_ = true; }
  void crash();
  // What the checks ask while the machine runs.
  bool holds(SignatureNumber signature) const;
  // Also before a later snapshot replaced the record.
  bool ever_held(SignatureNumber signature) const;
  bool holds_bytes(ByteView bytes) const;
  bool sync_pending() const { return !pending_.empty(); }
  std::size_t records() const { return contents_.records.size(); }

  // ---- while the machine is down ----
  Opened open();
  const Contents& contents() const { return contents_; }
  void restore(Contents contents);
  // Without `state_too` validator_state.json stays.
  void wipe(bool state_too);
  // The next crash leaves a torn piece of what was not synced.
  void tear_at_crash() { tear_ = true; }
  // The bytes of the log file, to be damaged and given back.
  Bytes file() const;
  void overwrite(Bytes file) { contents_.damaged = std::move(file); }
  // Where in file() the last record that was synced ends.
  std::size_t synced_bytes() const;

 private:
  bool lies() const;
  void start_sync();
  void finish_sync(std::size_t count);
  void make_durable(Record record);
  void keep_torn(std::size_t first);
  void remember_signatures();
  node::VoteLogSalt salt() const;

  World& world_;
  Machine machine_;
  Prng prng_;
  Hooks hooks_;
  std::deque<Record> pending_;
  Contents contents_;
  std::vector<bool> durable_;  // by signature number
  std::vector<bool> ever_durable_;
  bool syncing_ = false;
  bool slow_ = false;
  bool tear_ = false;
  bool off_ = false;
  std::uint64_t life_ = 0;
};

}  // namespace quorate::sim
