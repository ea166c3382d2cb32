#include "testnet/simulate/recorder.hpp"

#include <limits>

namespace quorate::testnet {

namespace {

using sim::timed::MessageType;
using Kind = StoryEntry::Kind;

constexpr std::uint32_t kNotKept = std::numeric_limits<std::uint32_t>::max();
// Messages kept before anything goes wrong, and after.
constexpr std::size_t kKeptBefore = 200'000;
constexpr std::size_t kKeptMax = 4'000'000;
// A switch between branches that leaves fewer blocks is the usual course of things.
constexpr std::uint64_t kToldSwitch = 2;
// The same thing later than this is another line.
constexpr Duration kSameEntry = std::chrono::seconds(5);

bool shown(MessageType type) {
  switch (type) {
    case MessageType::pre_prepare:
    case MessageType::prepare:
    case MessageType::commit:
    case MessageType::checkpoint:
    case MessageType::suspect:
    case MessageType::view_change:
    case MessageType::new_view: return true;
    default: return false;
  }
}

}  // namespace

Recorder::Recorder(std::uint32_t replicas, std::optional<Window> window, Duration stop)
    : window_(window),
      stop_(stop),
      work_(replicas),
      lanes_(replicas),
      views_(replicas),
      heights_(replicas),
      entered_at_(replicas) {}

bool Recorder::keeps(Instant when) const {
  if (window_) return when.since_origin >= window_->begin && when.since_origin <= window_->end;
  return messages_.size() < kKeptMax;
}

std::uint32_t Recorder::sent(Instant when, const sim::timed::Frame& frame, ReplicaId to) {
  Traffic& traffic = traffic_.at(static_cast<std::size_t>(frame.type));
  ++traffic.messages;
  traffic.bytes += frame.body.size();
  if (frame.type == MessageType::suspect) {
    add(Kind::suspected, frame.view.value(), when, frame.from.value());
  }
  // Others pass a NEW-VIEW on to whoever lacks it.
  if (frame.type == MessageType::new_view &&
      frame.view.value() % lanes_.size() == frame.from.value()) {
    add(Kind::opened, frame.view.value(), when, frame.from.value());
  }
  if (!shown(frame.type) || !keeps(when)) return kNotKept;
  if (!window_ && !trigger_ && messages_.size() >= kKeptBefore) {
    messages_.pop_front();
    ++dropped_;
  }
  const bool again = frame.height.value() > 0 &&
                     frame.height.value() <= entered_at_.at(frame.from.value()) &&
                     frame.type != MessageType::checkpoint;
  messages_.push_back({frame.type, frame.from.value(), to.value(), frame.view.value(),
                       frame.height.value(), when.since_origin, Duration(0), false, again});
  return static_cast<std::uint32_t>(dropped_ + messages_.size() - 1);
}

void Recorder::received(Instant when, std::uint32_t number) {
  if (number == kNotKept || number < dropped_) return;
  messages_[number - dropped_].ended = when.since_origin;
}

void Recorder::lost(Instant when, std::uint32_t number) {
  ++lost_;
  if (number == kNotKept || number < dropped_) return;
  messages_[number - dropped_].ended = when.since_origin;
  messages_[number - dropped_].lost = true;
}

void Recorder::went_wrong(Instant when) {
  if (!trigger_) trigger_ = when.since_origin;
}

StoryEntry& Recorder::entry(Kind kind, std::uint64_t view, Instant when) {
  const auto open = open_entries_.find({kind, view});
  if (open != open_entries_.end() && when.since_origin - story_[open->second].last < kSameEntry) {
    return story_[open->second];
  }
  open_entries_[{kind, view}] = story_.size();
  story_.push_back({kind, when.since_origin, when.since_origin, {}, view, {}});
  return story_.back();
}

void Recorder::add(Kind kind, std::uint64_t view, Instant when, std::uint32_t replica) {
  StoryEntry& line = entry(kind, view, when);
  // Repetitions of the same message do not make it last longer.
  if (line.replicas.insert(replica).second) line.last = when.since_origin;
}

void Recorder::lane(std::uint32_t replica, LaneState state) { lanes_.at(replica).push_back(state); }

void Recorder::noticed(Instant when, ReplicaId replica, const node::Notice& notice) {
  using Phase = consensus::Progress::Phase;
  const std::uint64_t view = notice.view.value();
  switch (notice.kind) {
    case node::Notice::Kind::progress:
      if (*notice.phase == Phase::view_left) {
        went_wrong(when);
        add(Kind::left, view, when, replica.value());
        lane(replica.value(), {LaneState::Kind::changing, when.since_origin, view});
      } else if (*notice.phase == Phase::view_entered) {
        add(Kind::entered, view, when, replica.value());
        lane(replica.value(), {LaneState::Kind::in_view, when.since_origin, view});
        views_.at(replica.value()) = view;
        entered_at_.at(replica.value()) = heights_.at(replica.value());
        highest_view_ = std::max(highest_view_, view);
      }
      break;
    case node::Notice::Kind::block_executed:
      block(when, replica.value(), notice.block->header.height.value());
      break;
    case node::Notice::Kind::blocks_withdrawn: withdrawn(when, replica, notice); break;
    case node::Notice::Kind::equivocation:
      went_wrong(when);
      add(Kind::evidence, notice.peer->value(), when, replica.value());
      break;
    case node::Notice::Kind::sync_started: add(Kind::synced, 0, when, replica.value()); break;
    case node::Notice::Kind::halted: {
      went_wrong(when);
      StoryEntry& line = entry(Kind::halted, replica.value(), when);
      line.replicas.insert(replica.value());
      line.text = notice.text;
      break;
    }
    default: break;
  }
}

void Recorder::block(Instant when, std::uint32_t replica, std::uint64_t height) {
  executed_.push_back({when.since_origin, replica, height});
  heights_.at(replica) = height;
  if (height <= highest_) return;
  highest_ = height;
  const Duration stop = when.since_origin - last_block_;
  if (height > 1) longest_stop_ = std::max(longest_stop_, stop);
  if (height > 1 && stop >= stop_) {
    StoryEntry& line = entry(Kind::resumed, height, when);
    line.text = format_duration(stop);
    line.replicas.insert(replica);
  }
  last_block_ = when.since_origin;
}

void Recorder::happened(Instant when, std::optional<ReplicaId> replica, const std::string& what) {
  went_wrong(when);
  if (replica && !story_.empty() && story_.back().kind == Kind::fault &&
      story_.back().text == what && story_.back().first == when.since_origin) {
    story_.back().replicas.insert(replica->value());
    return;
  }
  StoryEntry line{Kind::fault, when.since_origin, when.since_origin, {}, 0, what};
  if (replica) line.replicas.insert(replica->value());
  story_.push_back(std::move(line));
}

void Recorder::mined(ReplicaId replica, const sim::pow::MinedBlock& block) {
  work_.mined(replica, block);
}

void Recorder::prefers(Instant when, ReplicaId replica, const Digest& tip, Height height) {
  const auto& now = work_.prefers(when, replica, tip, height);
  if (now.left < kToldSwitch) return;
  went_wrong(when);
  add(Kind::reorganised, now.left, when, replica.value());
}

void Recorder::deep(Instant due, Instant when, std::uint32_t depth) {
  deep_[depth].push_back({due.since_origin, when.since_origin});
}

void Recorder::withdrawn(Instant when, ReplicaId replica, const node::Notice& notice) {
  const auto& one = work_.withdrawn(when, replica, notice);
  went_wrong(when);
  heights_.at(replica.value()) = one.to;
  StoryEntry& line = entry(Kind::rewound, one.to, when);
  line.replicas.insert(replica.value());
  line.last = when.since_origin;
  line.text = std::to_string(one.blocks) + (one.blocks == 1 ? " block" : " blocks") + " and " +
              std::to_string(one.transactions) + " transactions";
}

void Recorder::up(Instant when, ReplicaId replica, bool is_up) {
  if (!is_up) work_.crashed(replica);
  const auto kind = is_up ? LaneState::Kind::in_view : LaneState::Kind::down;
  lane(replica.value(), {kind, when.since_origin, views_.at(replica.value())});
}

void Recorder::final(Instant due, Instant when) {
  finals_.push_back({due.since_origin, when.since_origin});
}

std::vector<StoryEntry> Recorder::story() const {
  std::vector<StoryEntry> out = story_;
  std::stable_sort(out.begin(), out.end(),
                   [](const StoryEntry& a, const StoryEntry& b) { return a.first < b.first; });
  return out;
}

}  // namespace quorate::testnet
