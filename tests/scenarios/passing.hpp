// What a rule of a scenario sees of one frame on one link, and what it may do to it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <variant>

#include "consensus/pbft/messages.hpp"
#include "tests/sim/network.hpp"

namespace quorate::scenarios {

namespace pbft = consensus::pbft;

struct Passing {
  std::uint32_t from;  // machines: replicas, and their twins from n on
  std::uint32_t to;
  node::TrafficClass traffic;
  const pbft::Message* message;  // null for what is no consensus message
};

// None: this rule does not decide.
using Fate = std::optional<sim::Fate>;
inline const Fate kPass{};
inline const Fate kLost{sim::Fate{true, Duration(0), {}}};
inline Fate held(Duration time) { return sim::Fate{false, time, {}}; }

using Rule = std::function<Fate(const Passing&)>;

template <class T>
const T* as(const Passing& passing) {
  return passing.message == nullptr ? nullptr : std::get_if<T>(passing.message);
}
// The vote, if it is one of this kind.
inline const pbft::Vote* vote_of(const Passing& passing, pbft::VoteKind kind) {
  const auto* vote = as<pbft::Vote>(passing);
  return vote != nullptr && vote->kind == kind ? vote : nullptr;
}
inline const pbft::Vote* prepare_of(const Passing& passing) {
  return vote_of(passing, pbft::VoteKind::prepare);
}
inline const pbft::Vote* commit_of(const Passing& passing) {
  return vote_of(passing, pbft::VoteKind::commit);
}
inline const pbft::NewView* new_view_of(const Passing& passing) {
  const auto* message = as<pbft::NewViewPtr>(passing);
  return message == nullptr ? nullptr : message->get();
}
inline const pbft::ViewChange* view_change_of(const Passing& passing) {
  const auto* message = as<pbft::ViewChangePtr>(passing);
  return message == nullptr ? nullptr : message->get();
}
// What a NEW-VIEW proposes at a height.
inline std::optional<Digest> proposed_at(const pbft::NewView& message, Height height) {
  for (const pbft::Core& core : message.proposals) {
    if (core.ballot.height == height) return core.ballot.id;
  }
  return std::nullopt;
}

// Decodes consensus frames, each broadcast once.
class Interpreter {
 public:
  const pbft::Message* decode(const sim::Frame& frame, const pbft::DecodeLimits& limits) {
    if (frame.traffic != node::TrafficClass::consensus) return nullptr;
    if (frame.body != body_) {
      body_ = frame.body;
      envelope_.reset();
      if (auto decoded = pbft::decode(*body_, limits)) envelope_ = std::move(*decoded);
    }
    return envelope_ ? &envelope_->message : nullptr;
  }

 private:
  std::shared_ptr<const Bytes> body_;
  std::optional<pbft::Envelope> envelope_;
};

}  // namespace quorate::scenarios
