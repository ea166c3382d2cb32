#include "node/runtime/verify_pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <limits>

#include "consensus/token_bucket.hpp"
#include "ledger/types/block.hpp"
#include "node/runtime/os_clock.hpp"

namespace quorate::node {

namespace {

// Transactions that one thread checks before it looks for something more urgent: less than two
// milliseconds of signatures.
constexpr std::size_t kChunk = 32;
// What a peer may be ahead of the others, in bytes: about a hundred votes.
constexpr std::int64_t kQuantum = 16 * 1024;
// How often a bulk thread serves its least urgent work first.
constexpr unsigned kBackwardsEvery = 4;
// How often any thread serves a payload check first.
constexpr unsigned kPayloadEvery = 16;

// Of the allowance of its class.
std::uint64_t frame_cost(TrafficClass traffic, std::size_t bytes) {
  return traffic == TrafficClass::transactions ? 1 + bytes / 1'024 : 1;
}

}  // namespace

struct VerifyPool::Lane {
  Lane(ReplicaId peer_, TrafficClass traffic_, const VerifyPoolConfig& config)
      : peer(peer_),
        traffic(traffic_),
        budget(config.lane_bytes_max[traffic_index(traffic_)]),
        frames_allowed(config.allowances[traffic_index(traffic_)].burst,
                       config.allowances[traffic_index(traffic_)].per_second),
        allowance(config.unsigned_burst, config.unsigned_per_second) {}

  struct Waiting {
    Bytes body;
    Budget::Credit credit;
  };
  const ReplicaId peer;
  const TrafficClass traffic;
  Budget budget;
  std::deque<Waiting> waiting;
  bool busy = false;               // a thread has its first frame; the next one must wait for that
  std::int64_t credit = kQuantum;  // bytes; below zero when the last frame was a long one
  // Of frames: looked at with the pool's lock.
  consensus::TokenBucket frames_allowed;
  std::uint64_t frames_excess = 0;
  // Of unsigned messages. Only the thread that is busy with this lane looks at these two.
  consensus::TokenBucket allowance;
  std::uint64_t excess = 0;
};

// Many transactions that belong together: a payload, or one submission of a client.
struct VerifyPool::Job {
  // A payload:
  Digest id;
  Height height;
  Bytes payload;
  // A client's:
  std::vector<Bytes> encoded;
  ClientDone done;  // empty for a payload

  std::vector<ByteView> parts;  // into payload or encoded
  std::vector<Result<ledger::TransactionPtr>> results;
  std::atomic<std::size_t> chunks_left{0};
  std::atomic<bool> invalid{false};  // a payload with one bad transaction needs no further look
};

struct VerifyPool::Chunk {
  std::shared_ptr<Job> job;
  std::size_t begin = 0;
  std::size_t end = 0;
};

VerifyPool::VerifyPool(VerifyPoolConfig config, VerifyCallbacks callbacks)
    : config_(std::move(config)), callbacks_(std::move(callbacks)) {
  for (std::size_t c = 0; c < kTrafficClasses; ++c) {
    for (std::uint32_t i = 0; i < config_.replicas; ++i) {
      lanes_[c].push_back(
          std::make_unique<Lane>(ReplicaId(i), static_cast<TrafficClass>(c + 1), config_));
    }
  }
  const unsigned threads = std::max(1U, config_.threads);
  for (unsigned i = 0; i < threads; ++i) {
    const bool bulk_too = i > 0 || threads == 1;
    threads_.emplace_back([this, i, bulk_too] {
      const std::string name = "quorate-vrfy" + std::to_string(i);
      pthread_setname_np(pthread_self(), name.c_str());
      run(bulk_too);
    });
  }
}

VerifyPool::~VerifyPool() { stop(); }

void VerifyPool::frame(ReplicaId from, TrafficClass traffic, Bytes body) {
  const std::size_t c = traffic_index(traffic);
  // Dropped bodies are freed outside the lock.
  std::deque<Lane::Waiting> dropped;
  {
    std::unique_lock lock(mutex_);
    if (stopping_) return;
    Lane& lane = *lanes_[c].at(from.value());
    if (!lane.frames_allowed.take(frame_cost(traffic, body.size()), monotonic_now())) {
      ++statistics_.frames_excess[c];
      if (++lane.frames_excess % config_.excess_max != 0) return;
      lock.unlock();
      return report_excess(from, traffic);
    }
    auto credit = lane.budget.take(body.size());
    while (!credit && traffic == TrafficClass::consensus && !lane.waiting.empty()) {
      dropped.push_back(std::move(lane.waiting.front()));
      dropped.back().credit = {};
      lane.waiting.pop_front();
      --frames_waiting_[c];
      ++statistics_.frames_dropped[c];
      credit = lane.budget.take(body.size());
    }
    if (!credit) {
      ++statistics_.frames_dropped[c];
      return;
    }
    lane.waiting.push_back({std::move(body), std::move(*credit)});
    ++frames_waiting_[c];
    // Whoever is busy with this lane looks again when it is done.
    if (!lane.busy) wake(traffic == TrafficClass::consensus);
  }
}

void VerifyPool::report_excess(ReplicaId from, TrafficClass traffic) const {
  const std::uint64_t allowed = config_.allowances[traffic_index(traffic)].per_second;
  const char* unit = traffic == TrafficClass::transactions ? " KiB of transactions" : " frames";
  callbacks_.on_invalid(
      from, traffic,
      Error{Errc::limit_exceeded, "more than " + std::to_string(allowed) + unit + " a second; " +
                                      std::to_string(config_.excess_max) + " frames were dropped"});
}

void VerifyPool::wake(bool urgent) {
  if (urgent && urgent_idle_) {
    urgent_idle_ = false;  // the next piece of urgent work wakes another thread
    urgent_changed_.notify_one();
  } else {
    bulk_changed_.notify_one();
  }
}

void VerifyPool::forget(ReplicaId peer) {
  std::deque<Lane::Waiting> dropped;
  const std::lock_guard lock(mutex_);
  for (std::size_t c = 0; c < kTrafficClasses; ++c) {
    auto& waiting = lanes_[c].at(peer.value())->waiting;
    frames_waiting_[c] -= waiting.size();
    for (auto& item : waiting) dropped.push_back(std::move(item));
    waiting.clear();
  }
}

void VerifyPool::check(Digest id, Height height, Bytes payload) {
  auto job = std::make_shared<Job>();
  job->id = id;
  job->height = height;
  job->payload = std::move(payload);
  if (!job->payload.empty()) {
    auto parts = ledger::split_payload(job->payload);
    if (!parts) {
      job->invalid = true;
    } else {
      job->parts = std::move(*parts);
    }
  }
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  ++statistics_.queued_payloads;
  add_job(job, payload_chunks_);
  wake(true);
  if (job->chunks_left > 1) wake(false);
}

bool VerifyPool::client_transactions(std::vector<Bytes> encoded, ClientDone done) {
  auto job = std::make_shared<Job>();
  job->encoded = std::move(encoded);
  job->done = std::move(done);
  job->parts.assign(job->encoded.begin(), job->encoded.end());
  const std::lock_guard lock(mutex_);
  const std::size_t waiting = statistics_.queued_client_transactions;
  if (stopping_ || (waiting > 0 && waiting + job->parts.size() > config_.client_transactions_max)) {
    return false;
  }
  statistics_.queued_client_transactions += job->parts.size();
  statistics_.client_transactions += job->parts.size();
  add_job(job, client_chunks_);
  wake(false);
  return true;
}

void VerifyPool::add_job(const std::shared_ptr<Job>& job, std::deque<Chunk>& chunks) {
  job->results.assign(job->parts.size(), ledger::TransactionPtr());
  // A job without transactions still takes one piece of work, which answers it.
  const std::size_t count = std::max<std::size_t>(1, (job->parts.size() + kChunk - 1) / kChunk);
  job->chunks_left = count;
  for (std::size_t i = 0; i < count; ++i) {
    chunks.push_back({job, i * kChunk, std::min(job->parts.size(), (i + 1) * kChunk)});
  }
}

bool VerifyPool::has_work(bool bulk_too) const {
  const auto lane_ready = [](const std::vector<std::unique_ptr<Lane>>& lanes) {
    return std::any_of(lanes.begin(), lanes.end(),
                       [](const auto& lane) { return !lane->busy && !lane->waiting.empty(); });
  };
  if (!payload_chunks_.empty() || (frames_waiting_[0] > 0 && lane_ready(lanes_[0]))) return true;
  if (!bulk_too) return false;
  return !client_chunks_.empty() || (frames_waiting_[1] > 0 && lane_ready(lanes_[1])) ||
         (frames_waiting_[2] > 0 && lane_ready(lanes_[2]));
}

void VerifyPool::run(bool bulk_too) {
  static constexpr std::array kUrgentFirst = {Kind::consensus, Kind::payload, Kind::sync,
                                              Kind::transactions};
  static constexpr std::array kUrgentOnly = {Kind::consensus, Kind::payload};
  static constexpr std::array kPayloadFirst = {Kind::payload, Kind::consensus};
  static constexpr std::array kBackwards = {Kind::transactions, Kind::sync, Kind::payload,
                                            Kind::consensus};
  std::unique_lock lock(mutex_);
  for (unsigned turn = 0;; ++turn) {
    const auto ready = [&] { return stopping_ || has_work(bulk_too); };
    if (bulk_too) {
      bulk_changed_.wait(lock, ready);
    } else {
      while (!ready()) {
        urgent_idle_ = true;
        urgent_changed_.wait(lock);
      }
      urgent_idle_ = false;
    }
    if (stopping_) return;
    const auto try_all = [&](const auto& kinds) {
      return std::any_of(kinds.begin(), kinds.end(), [&](Kind kind) { return work(lock, kind); });
    };
    // For the others this is a turn at which they would begin with consensus.
    if (turn % kPayloadEvery == kPayloadEvery / 2 + 1 && try_all(kPayloadFirst)) continue;
    if (!bulk_too) {
      try_all(kUrgentOnly);
    } else if (turn % kBackwardsEvery == 0) {
      try_all(kBackwards);
    } else {
      try_all(kUrgentFirst);
    }
  }
}

bool VerifyPool::work(std::unique_lock<std::mutex>& lock, Kind kind) {
  switch (kind) {
    case Kind::consensus: return work_lane(lock, TrafficClass::consensus);
    case Kind::payload: return work_chunk(lock, payload_chunks_);
    case Kind::sync: return work_lane(lock, TrafficClass::sync);
    case Kind::transactions: break;
  }
  clients_next_ = !clients_next_;
  if (clients_next_) {
    return work_chunk(lock, client_chunks_) || work_lane(lock, TrafficClass::transactions);
  }
  return work_lane(lock, TrafficClass::transactions) || work_chunk(lock, client_chunks_);
}

// The next lane in turn that has a frame and credit. When all that have a frame are in debt, every
// lane of the class gets as many quanta as it takes; idle ones save up no more than one.
VerifyPool::Lane* VerifyPool::next_lane(TrafficClass traffic) {
  const std::size_t c = traffic_index(traffic);
  auto& lanes = lanes_[c];
  std::int64_t best = std::numeric_limits<std::int64_t>::min();
  for (const auto& lane : lanes) {
    if (!lane->busy && !lane->waiting.empty()) best = std::max(best, lane->credit);
  }
  if (best == std::numeric_limits<std::int64_t>::min()) return nullptr;
  if (best <= 0) {
    const std::int64_t rounds = -best / kQuantum + 1;
    for (const auto& lane : lanes) {
      lane->credit = std::min(kQuantum, lane->credit + rounds * kQuantum);
    }
  }
  for (std::size_t i = 0;; ++i) {
    Lane& lane = *lanes[(next_lane_[c] + i) % lanes.size()];
    if (lane.busy || lane.waiting.empty() || lane.credit <= 0) continue;
    next_lane_[c] = (lane.peer.value() + 1) % lanes.size();
    return &lane;
  }
}

bool VerifyPool::work_lane(std::unique_lock<std::mutex>& lock, TrafficClass traffic) {
  const std::size_t c = traffic_index(traffic);
  Lane* lane = next_lane(traffic);
  if (lane == nullptr) return false;
  lane->busy = true;
  Lane::Waiting frame = std::move(lane->waiting.front());
  lane->waiting.pop_front();
  lane->credit -= static_cast<std::int64_t>(frame.body.size());
  --frames_waiting_[c];
  ++statistics_.frames[c];
  lock.unlock();
  verify_frame(*lane, std::move(frame.body), std::move(frame.credit));
  lock.lock();
  lane->busy = false;
  // Its next frame woke nobody while the lane was busy, and this thread may turn to bulk now.
  const bool urgent = traffic == TrafficClass::consensus && urgent_idle_;
  if (urgent && !lane->waiting.empty()) wake(true);
  return true;
}

bool VerifyPool::work_chunk(std::unique_lock<std::mutex>& lock, std::deque<Chunk>& chunks) {
  if (chunks.empty()) return false;
  const Chunk chunk = std::move(chunks.front());
  chunks.pop_front();
  lock.unlock();
  verify_chunk(chunk);
  lock.lock();
  return true;
}

void VerifyPool::verify_frame(Lane& lane, Bytes body, Budget::Credit credit) {
  auto message = verify_peer_message(config_.context, lane.peer, lane.traffic, body);
  if (message && is_excess(lane, *message)) return;
  if (message) {
    callbacks_.on_message(lane.peer, lane.traffic, std::move(*message), std::move(credit));
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    ++statistics_.frames_invalid[traffic_index(lane.traffic)];
  }
  callbacks_.on_invalid(lane.peer, lane.traffic, message.error());
}

bool VerifyPool::is_excess(Lane& lane, const PeerMessage& message) {
  const auto* consensus = std::get_if<ConsensusMessage>(&message);
  const bool unsigned_message = consensus != nullptr && consensus->message->is_unsigned();
  if (!unsigned_message && !std::holds_alternative<BlocksRequest>(message)) return false;
  if (lane.allowance.take(1, monotonic_now())) return false;
  {
    const std::lock_guard lock(mutex_);
    ++statistics_.frames_excess[traffic_index(lane.traffic)];
  }
  if (++lane.excess % config_.unsigned_excess_max == 0) {
    callbacks_.on_invalid(lane.peer, lane.traffic,
                          Error{Errc::limit_exceeded,
                                "more than " + std::to_string(config_.unsigned_per_second) +
                                    " reports and requests a second; " +
                                    std::to_string(config_.unsigned_excess_max) + " were dropped"});
  }
  return true;
}

void VerifyPool::verify_chunk(const Chunk& chunk) {
  Job& job = *chunk.job;
  const bool client = static_cast<bool>(job.done);
  for (std::size_t i = chunk.begin; i < chunk.end && (client || !job.invalid); ++i) {
    job.results[i] = verify_transaction(config_.context, job.parts[i]);
    if (!job.results[i]) job.invalid = true;
  }
  if (job.chunks_left.fetch_sub(1) == 1) finish(job);
}

void VerifyPool::finish(Job& job) {
  const bool client = static_cast<bool>(job.done);
  {
    const std::lock_guard lock(mutex_);
    if (client) {
      statistics_.queued_client_transactions -= job.parts.size();
    } else {
      --statistics_.queued_payloads;
      ++statistics_.payloads;
      if (job.invalid) ++statistics_.payloads_invalid;
    }
  }
  if (client) return job.done(std::move(job.encoded), std::move(job.results));
  PayloadChecked checked{job.id, job.height, std::nullopt};
  if (!job.invalid) {
    checked.transactions.emplace();
    checked.transactions->reserve(job.results.size());
    for (auto& result : job.results) checked.transactions->push_back(std::move(*result));
  }
  callbacks_.on_payload(std::move(checked));
}

void VerifyPool::stop() {
  std::deque<Chunk> unanswered;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
    unanswered.swap(client_chunks_);
  }
  urgent_changed_.notify_all();
  bulk_changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  for (const Chunk& chunk : unanswered) {
    Job& job = *chunk.job;
    for (std::size_t i = chunk.begin; i < chunk.end; ++i) {
      job.results[i] = fail(Errc::unavailable, "the node is stopping");
    }
    if (job.chunks_left.fetch_sub(1) == 1) finish(job);
  }
}

VerifyStatistics VerifyPool::statistics() const {
  const std::lock_guard lock(mutex_);
  VerifyStatistics out = statistics_;
  for (const std::size_t waiting : frames_waiting_) out.queued_frames += waiting;
  return out;
}

}  // namespace quorate::node
