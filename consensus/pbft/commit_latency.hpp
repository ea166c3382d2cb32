// How long heights took from the proposal to the commit, lately: the measure of patience. The check
// of the payload counts, for the next primary's payloads must pass it too: on a busy machine it is
// most of the time, and who leaves it out gives up an honest primary for it. The wait for a body,
// or for a time that lies ahead, does not: those are in the primary's hands. Integers only, so that
// a run repeats exactly. Owned by the engine's thread.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "crypto/base/instant.hpp"

namespace quorate::consensus::pbft {

class CommitLatency {
 public:
  static constexpr std::size_t kSamplesMin = 100;  // fewer say nothing about the slowest
  static constexpr std::size_t kSamplesMax = 512;

  void add(Duration sample) {
    if (samples_.size() < kSamplesMax) {
      samples_.push_back(sample);
    } else {
      samples_[next_] = sample;
    }
    next_ = (next_ + 1) % kSamplesMax;
    if (samples_.size() >= kSamplesMin && next_ % kEvery == 0) measure();
  }
  // What 99 of 100 heights stay within; nothing below kSamplesMin.
  std::optional<Duration> p99() const { return p99_; }
  std::size_t memory_bytes() const { return samples_.size() * sizeof(Duration); }

 private:
  static constexpr std::size_t kEvery = 4;  // sorting for each sample would be waste

  void measure() {
    std::vector<Duration> sorted = samples_;
    const auto rank = static_cast<std::ptrdiff_t>((sorted.size() * 99 + 99) / 100 - 1);
    std::nth_element(sorted.begin(), sorted.begin() + rank, sorted.end());
    p99_ = sorted[static_cast<std::size_t>(rank)];
  }

  std::vector<Duration> samples_;
  std::size_t next_ = 0;
  std::optional<Duration> p99_;
};

}  // namespace quorate::consensus::pbft
