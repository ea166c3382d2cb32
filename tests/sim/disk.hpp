// One replica's vote log on a simulated disk: FIFO, group sync, and a crash that loses what was not
// yet synced (from the newest backwards; the disk may have taken a part of it). Keeps the synced
// image, since what is in it decides whether a message may be sent.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "node/ports.hpp"
#include "tests/sim/world.hpp"

namespace quorate::sim {

class Disk final : public node::VoteLog {
 public:
  struct Hooks {
    // VotesPersisted, in the life that appended.
    std::function<void(consensus::PersistToken)> persisted;
    // A sync ended and is not yet reported; true = the replica crashes here.
    std::function<bool()> crash_after_sync;
  };
  Disk(World& world, std::uint32_t replica, Prng prng, Hooks hooks);

  void append(consensus::PersistToken token, Bytes record, bool snapshot) override;

  void set_slow(bool slow) { slow_ = slow; }
  void crash();
  // The records a restart reads, oldest first.
  std::vector<Bytes> image() const;
  bool holds(SignatureNumber signature) const;
  // Also before a later snapshot replaced the record.
  bool ever_held(SignatureNumber signature) const;
  bool holds_bytes(ByteView bytes) const;
  bool sync_pending() const { return !pending_.empty(); }
  std::size_t records() const { return image_.size(); }

 private:
  struct Record {
    consensus::PersistToken token;
    Bytes bytes;
    bool snapshot = false;
  };
  bool lies() const;
  void start_sync();
  void finish_sync(std::size_t count);
  void make_durable(Record record);

  World& world_;
  std::uint32_t replica_;
  Prng prng_;
  Hooks hooks_;
  std::deque<Record> pending_;
  std::deque<Record> image_;
  std::vector<bool> durable_;  // by signature number
  std::vector<bool> ever_durable_;
  bool syncing_ = false;
  bool slow_ = false;
  std::uint64_t life_ = 0;
};

}  // namespace quorate::sim
