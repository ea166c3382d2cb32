#include "tests/sim/timed/measure.hpp"

#include <algorithm>

#include "tests/sim/timed/work_tally.hpp"

namespace quorate::sim::timed {
namespace {

double seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e9; }

double quotient(double a, double b) { return b == 0 ? 0 : a / b; }

Latency latency_of(std::vector<Duration> sample) {
  Latency out;
  out.count = sample.size();
  if (sample.empty()) return out;
  std::sort(sample.begin(), sample.end());
  const auto at = [&sample](double share) {
    const auto rank = static_cast<std::size_t>(share * static_cast<double>(sample.size()));
    return seconds(sample[std::min(rank, sample.size() - 1)]) * 1e3;
  };
  out.p50_ms = at(0.5);
  out.p95_ms = at(0.95);
  out.p99_ms = at(0.99);
  out.max_ms = seconds(sample.back()) * 1e3;
  return out;
}

class Counter final : public Watcher {
 public:
  explicit Counter(const Scene& scene)
      : scene_(scene), warm_{scene.length / 5}, tally_(scene.replicas) {
    out_.executed_during.assign(scene.faults.size(), std::vector<std::uint64_t>(scene.replicas));
    out_.resumed_after.resize(scene.faults.size());
  }

  std::uint32_t sent(Instant, const Frame& frame, ReplicaId) override {
    Traffic& one = out_.traffic.at(static_cast<std::size_t>(frame.type));
    ++one.messages;
    one.bytes += frame.body.size();
    return 0;
  }
  void received(Instant, std::uint32_t) override {}
  void lost(Instant, std::uint32_t) override { ++out_.lost_messages; }
  void noticed(Instant when, ReplicaId replica, const node::Notice& notice) override {
    if (notice.kind == node::Notice::Kind::block_executed) {
      executed(when.since_origin, replica.value(), notice.block->header.height.value());
    }
    if (notice.kind == node::Notice::Kind::blocks_withdrawn) {
      const auto& one = tally_.withdrawn(when, replica, notice);
      ++out_.rewinds;
      out_.blocks_withdrawn += one.blocks;
      out_.deepest_withdrawal = std::max(out_.deepest_withdrawal, one.blocks);
    }
  }
  void happened(Instant, std::optional<ReplicaId>, const std::string&) override {}
  void up(Instant, ReplicaId replica, bool is_up) override {
    if (!is_up) tally_.crashed(replica);
  }
  void final(Instant due, Instant when) override {
    if (due.since_origin >= warm_) to_final_.push_back(when - due);
    if (when.since_origin >= warm_ && when.since_origin <= scene_.length) ++final_in_time_;
  }
  void mined(ReplicaId replica, const pow::MinedBlock& block) override {
    tally_.mined(replica, block);
  }
  void prefers(Instant when, ReplicaId replica, const Digest& tip, Height height) override {
    tally_.prefers(when, replica, tip, height);
  }
  void deep(Instant due, Instant when, std::uint32_t depth) override {
    if (due.since_origin >= warm_) to_depth_[depth].push_back(when - due);
  }

  Measurement measured(RunEnd end) {
    out_.committed_per_second =
        quotient(static_cast<double>(final_in_time_), seconds(scene_.length - warm_));
    out_.to_final = latency_of(std::move(to_final_));
    for (auto& [depth, sample] : to_depth_) out_.to_depth[depth] = latency_of(std::move(sample));
    out_.blocks = end.height.value();
    if (end.unfinished > 0) stopped(end.ended);
    count_traffic(end);
    if (end.work) count_work(*end.work);
    out_.end = std::move(end);
    return std::move(out_);
  }

 private:
  void executed(Duration when, std::uint32_t replica, std::uint64_t height) {
    for (std::size_t i = 0; i < scene_.faults.size(); ++i) {
      const Fault& fault = scene_.faults[i];
      const Duration until = fault.until.value_or(scene_.length);
      if (when >= fault.at && when < until) ++out_.executed_during[i][replica];
    }
    if (height <= highest_) return;
    highest_ = height;
    stopped(when);
    last_ = when;
    for (std::size_t i = 0; i < scene_.faults.size(); ++i) {
      const auto until = scene_.faults[i].until;
      if (until && when >= *until && !out_.resumed_after[i]) out_.resumed_after[i] = when - *until;
    }
  }

  void stopped(Duration until) { out_.longest_stop = std::max(out_.longest_stop, until - last_); }

  void count_traffic(const RunEnd& end) {
    for (const Traffic& one : out_.traffic) {
      out_.all.messages += one.messages;
      out_.all.bytes += one.bytes;
    }
    const auto messages = static_cast<double>(out_.all.messages);
    const auto bytes = static_cast<double>(out_.all.bytes);
    const auto blocks = static_cast<double>(out_.blocks);
    const auto transactions = static_cast<double>(end.offered - end.unfinished);
    out_.messages_per_block = quotient(messages, blocks);
    out_.bytes_per_block = quotient(bytes, blocks);
    out_.messages_per_transaction = quotient(messages, transactions);
    out_.bytes_per_transaction = quotient(bytes, transactions);
  }

  void count_work(const WorkEnd& work) {
    out_.mined = work.blocks.size();
    out_.stale = out_.mined - work.on_best.size();
    out_.stale_rate = quotient(static_cast<double>(out_.stale), static_cast<double>(out_.mined));
    out_.switches = tally_.switches();
    out_.reversed = work.reversed;
    out_.lost_for_good = work.lost_for_good;
  }

  const Scene& scene_;
  const Duration warm_;
  Measurement out_;
  std::vector<Duration> to_final_;
  std::map<std::uint32_t, std::vector<Duration>> to_depth_;
  std::size_t final_in_time_ = 0;
  WorkTally tally_;
  std::uint64_t highest_ = 0;
  Duration last_{0};
};

}  // namespace

Measurement measure(const Scene& scene) {
  Counter counter(scene);
  RunEnd end = run(scene, counter);
  return counter.measured(std::move(end));
}

}  // namespace quorate::sim::timed
