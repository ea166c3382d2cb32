// Writes down what happens in a simulated run: counters of everything, the story (faults,
// suspicion, view changes, stops), what every replica was doing when, and single messages within a
// window of time or, if none was asked for, around the first thing that goes wrong.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "testnet/simulate/options.hpp"
#include "tests/sim/timed/timed_run.hpp"
#include "tests/sim/timed/work_tally.hpp"

namespace quorate::testnet {

struct Traffic {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

struct RecordedMessage {
  sim::timed::MessageType type;
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  std::uint64_t view = 0;
  std::uint64_t height = 0;
  Duration sent{0};
  Duration ended{0};  // received or lost; zero = the run ended before
  bool lost = false;
  // A vote for a block that its sender had executed before it entered the view: a new view votes
  // for those once more, for whoever lacks them.
  bool again = false;
};

// One line of the story: the same thing at one or several replicas.
struct StoryEntry {
  enum class Kind : std::uint8_t {
    fault,      // and whatever else the run itself says
    suspected,  // the primary of `view`
    left,       // VIEW-CHANGE to `view`
    opened,     // NEW-VIEW of `view` sent
    entered,    // `view`
    evidence,   // of equivocation
    synced,     // block catch-up began
    halted,
    resumed,      // the first block after a stop
    reorganised,  // `view` blocks of the branch it preferred are left
    rewound,      // its ledger took blocks back; `view` is the height where it stands again
  };
  Kind kind;
  Duration first{0};
  Duration last{0};
  std::set<std::uint32_t> replicas;
  std::uint64_t view = 0;
  std::string text;
};

// What a replica did from `since` on.
struct LaneState {
  enum class Kind : std::uint8_t { down, in_view, changing };
  Kind kind;
  Duration since{0};
  std::uint64_t view = 0;  // in it, or asking for it
};

struct ExecutedMark {
  Duration when{0};
  std::uint32_t replica = 0;
  std::uint64_t height = 0;
};

class Recorder final : public sim::timed::Watcher {
 public:
  // A stop is worth a line of the story when it is this long.
  static constexpr Duration kUsualStop = std::chrono::milliseconds(250);
  Recorder(std::uint32_t replicas, std::optional<Window> window, Duration stop = kUsualStop);

  std::uint32_t sent(Instant when, const sim::timed::Frame& frame, ReplicaId to) override;
  void received(Instant when, std::uint32_t number) override;
  void lost(Instant when, std::uint32_t number) override;
  void noticed(Instant when, ReplicaId replica, const node::Notice& notice) override;
  void happened(Instant when, std::optional<ReplicaId> replica, const std::string& what) override;
  void up(Instant when, ReplicaId replica, bool is_up) override;
  void final(Instant due, Instant when) override;
  void mined(ReplicaId replica, const sim::pow::MinedBlock& block) override;
  void prefers(Instant when, ReplicaId replica, const Digest& tip, Height height) override;
  void deep(Instant due, Instant when, std::uint32_t depth) override;

  const std::array<Traffic, sim::timed::kMessageTypes>& traffic() const { return traffic_; }
  std::uint64_t lost_messages() const { return lost_; }
  // In order of the first time.
  std::vector<StoryEntry> story() const;
  struct Final {
    Duration due{0};
    Duration when{0};
  };
  const std::vector<Final>& finals() const { return finals_; }
  const sim::timed::WorkTally& work() const { return work_; }
  // How long transactions took to be so deep, by depth.
  const std::map<std::uint32_t, std::vector<Final>>& deep() const { return deep_; }
  Duration longest_stop() const { return longest_stop_; }  // between two blocks
  Duration last_block() const { return last_block_; }
  std::uint64_t highest_view() const { return highest_view_; }
  std::uint64_t blocks() const { return highest_; }
  const std::vector<std::vector<LaneState>>& lanes() const { return lanes_; }
  const std::vector<ExecutedMark>& executed() const { return executed_; }
  // Of the types that a timeline shows, in order of sending.
  const std::deque<RecordedMessage>& messages() const { return messages_; }
  // When something first went wrong.
  std::optional<Duration> trigger() const { return trigger_; }
  const std::optional<Window>& window() const { return window_; }

 private:
  StoryEntry& entry(StoryEntry::Kind kind, std::uint64_t view, Instant when);
  void add(StoryEntry::Kind kind, std::uint64_t view, Instant when, std::uint32_t replica);
  void went_wrong(Instant when);
  bool keeps(Instant when) const;
  void withdrawn(Instant when, ReplicaId replica, const node::Notice& notice);
  void block(Instant when, std::uint32_t replica, std::uint64_t height);
  void lane(std::uint32_t replica, LaneState state);

  std::optional<Window> window_;
  Duration stop_;
  std::array<Traffic, sim::timed::kMessageTypes> traffic_{};
  std::uint64_t lost_ = 0;
  std::vector<StoryEntry> story_;
  std::map<std::pair<StoryEntry::Kind, std::uint64_t>, std::size_t> open_entries_;
  std::vector<Final> finals_;
  sim::timed::WorkTally work_;
  std::map<std::uint32_t, std::vector<Final>> deep_;
  std::vector<std::vector<LaneState>> lanes_;
  std::vector<std::uint64_t> views_;       // of each replica, for its next life
  std::vector<std::uint64_t> heights_;     // that it has executed
  std::vector<std::uint64_t> entered_at_;  // and had when it entered its view
  std::vector<ExecutedMark> executed_;
  std::deque<RecordedMessage> messages_;
  std::uint32_t dropped_ = 0;  // from the front of messages_
  std::optional<Duration> trigger_;
  std::uint64_t highest_ = 0;
  std::uint64_t highest_view_ = 0;
  Duration last_block_{0};
  Duration longest_stop_{0};
};

}  // namespace quorate::testnet
