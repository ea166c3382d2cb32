#include "node/net/send_queue.hpp"

#include <algorithm>

#include "node/net/frame.hpp"

namespace quorate::node {

namespace {

// Bytes per round: with every class busy, consensus gets two thirds of the line.
constexpr std::array<std::size_t, kTrafficClasses> kQuantum = {512U << 10U, 128U << 10U,
                                                               128U << 10U};
constexpr std::array<TrafficClass, kTrafficClasses> kOrder = {
    TrafficClass::consensus, TrafficClass::sync, TrafficClass::transactions};

}  // namespace

std::size_t traffic_index(TrafficClass traffic) { return static_cast<std::size_t>(traffic) - 1; }

std::size_t SendQueue::push(TrafficClass traffic, Body body, Clock::time_point now) {
  Lane& lane = lanes_[traffic_index(traffic)];
  const std::size_t bound = limits_.bytes_max[traffic_index(traffic)];
  const auto overflows = [&] { return !lane.frames.empty() && lane.bytes + body->size() > bound; };
  std::size_t dropped = 0;
  if (traffic == TrafficClass::consensus) {
    for (; overflows(); ++dropped) lane.take();
  } else if (overflows()) {
    return 1;
  }
  lane.bytes += body->size();
  lane.frames.push_back({std::move(body), now});
  return dropped;
}

std::size_t SendQueue::expire(Clock::time_point now) {
  Lane& lane = lanes_[traffic_index(TrafficClass::consensus)];
  std::size_t dropped = 0;
  while (!lane.frames.empty() && now - lane.frames.front().since > kConsensusWaitMax) {
    lane.take();
    ++dropped;
  }
  return dropped;
}

SendQueue::Lane* SendQueue::choose() {
  const auto ready = [](const Lane& lane) { return !lane.frames.empty() && lane.credit > 0; };
  auto lane = std::find_if(lanes_.begin(), lanes_.end(), ready);
  if (lane == lanes_.end()) {
    for (std::size_t i = 0; i < kTrafficClasses; ++i) lanes_[i].credit = kQuantum[i];
    lane = std::find_if(lanes_.begin(), lanes_.end(), ready);
  }
  return lane == lanes_.end() ? nullptr : &*lane;
}

std::size_t SendQueue::pop(Bytes& out, std::size_t bytes_wanted) {
  std::size_t frames = 0;
  while (out.size() < bytes_wanted) {
    Lane* lane = choose();
    if (lane == nullptr) break;
    const Body body = lane->take();
    lane->credit -= std::min(lane->credit, body->size() + kFrameHeaderSize);
    const auto index = static_cast<std::size_t>(lane - lanes_.data());
    append_frame(out, frame_type(kOrder[index]), *body);
    ++frames;
  }
  return frames;
}

bool SendQueue::empty() const {
  return std::all_of(lanes_.begin(), lanes_.end(),
                     [](const Lane& lane) { return lane.frames.empty(); });
}

void SendQueue::clear() { lanes_ = {}; }

}  // namespace quorate::node
