#include "node/runtime/consensus_thread.hpp"

#include <pthread.h>

#include "node/runtime/os_clock.hpp"

namespace quorate::node {

namespace {

constexpr std::size_t kBulkPerTurn = 8;
// A deadline that stays in the past although it was served would make the thread spin.
constexpr Duration kPatience = std::chrono::milliseconds(1);

}  // namespace

ConsensusThread::~ConsensusThread() { stop(); }

void ConsensusThread::start(std::unique_ptr<Replica> replica, ReplicaStarted started) {
  QUORATE_ASSERT(!thread_.joinable());
  replica_ = std::move(replica);
  thread_ = std::thread([this, first = std::move(started)]() mutable {
    pthread_setname_np(pthread_self(), "quorate-cons");
    run(std::move(first));
  });
}

void ConsensusThread::post(Lane lane, ReplicaInput input, Budget::Credit credit) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    auto& queue = lane == Lane::urgent ? urgent_ : bulk_;
    queue.push_back(Posted{std::move(input), std::move(credit)});
  }
  changed_.notify_one();
}

void ConsensusThread::inspect(Read read) {
  {
    const std::lock_guard lock(mutex_);
    if (!ended_) {
      urgent_.push_back(std::move(read));
      changed_.notify_one();
      return;
    }
  }
  const std::lock_guard lock(at_rest_);
  read(*replica_);
}

void ConsensusThread::step(ReplicaInput input) {
  replica_->step({monotonic_now(), wall_now(), std::move(input)});
}

void ConsensusThread::handle(Item item) {
  if (auto* posted = std::get_if<Posted>(&item)) {
    step(std::move(posted->input));
  } else {
    std::get<Read>(item)(*replica_);
  }
}

bool ConsensusThread::wait_for_work(std::optional<Instant> deadline) {
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return stopping_ || !urgent_.empty() || !bulk_.empty(); };
  if (deadline) {
    changed_.wait_until(lock, to_time_point(*deadline), ready);
  } else {
    changed_.wait(lock, ready);
  }
  return !stopping_;
}

void ConsensusThread::run(ReplicaStarted started) {
  step(std::move(started));
  Instant not_before;
  while (true) {
    auto deadline = replica_->next_deadline();
    if (deadline) deadline = std::max(*deadline, not_before);
    if (!wait_for_work(deadline)) break;
    const Instant woken = monotonic_now();
    std::deque<Item> work;
    {
      const std::lock_guard lock(mutex_);
      work.swap(urgent_);
      for (std::size_t i = 0; i < kBulkPerTurn && !bulk_.empty(); ++i) {
        work.push_back(std::move(bulk_.front()));
        bulk_.pop_front();
      }
    }
    const std::size_t steps = std::max<std::size_t>(1, work.size());
    if (work.empty()) step(ReplicaTicked{});
    while (!work.empty()) {
      handle(std::move(work.front()));
      work.pop_front();
    }
    const Instant now = monotonic_now();
    const auto next = replica_->next_deadline();
    if (next && *next <= now) not_before = now + kPatience;
    const std::lock_guard lock(mutex_);
    statistics_.steps += steps;
    statistics_.busy.add(static_cast<std::uint64_t>((now - woken).count()));
  }
  // Whoever asked a question waits for the answer.
  while (true) {
    std::deque<Item> work;
    {
      const std::lock_guard lock(mutex_);
      work.swap(urgent_);
      if (work.empty()) {
        ended_ = true;
        break;
      }
    }
    for (Item& item : work) {
      if (auto* read = std::get_if<Read>(&item)) (*read)(*replica_);
    }
  }
}

void ConsensusThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

ConsensusStatistics ConsensusThread::statistics() const {
  const std::lock_guard lock(mutex_);
  ConsensusStatistics out = statistics_;
  out.queued_urgent = urgent_.size();
  out.queued_bulk = bulk_.size();
  return out;
}

}  // namespace quorate::node
