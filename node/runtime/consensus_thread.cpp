#include "node/runtime/consensus_thread.hpp"

#include <pthread.h>

#include "node/runtime/os_clock.hpp"

namespace quorate::node {

namespace {

// A few hundred microseconds of steps, after which completions are looked for again.
constexpr std::size_t kFramesPerTurn = 32;
constexpr std::size_t kBundlesPerTurn = 8;
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

void ConsensusThread::post(ReplicaInput input) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    own_.push_back(Posted{std::move(input), {}});
  }
  changed_.notify_one();
}

void ConsensusThread::post_received(TrafficClass traffic, PeerMessageReceived received,
                                    Budget::Credit credit) {
  const std::size_t peer = received.from.value();
  Posted posted{std::move(received), std::move(credit)};
  std::optional<Posted> dropped;  // freed after the lock
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    if (traffic == TrafficClass::transactions) {
      dropped = transactions_.push(peer + 1, std::move(posted), kWaitingMax);
    } else {
      const std::size_t source = 2 * peer + (traffic == TrafficClass::sync ? 1 : 0);
      dropped = frames_.push(source, std::move(posted), kWaitingMax);
    }
    if (dropped) ++statistics_.dropped[traffic_index(traffic)];
  }
  changed_.notify_one();
}

void ConsensusThread::post_submitted(TransactionsSubmitted submitted) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    transactions_.push(0, Posted{std::move(submitted), {}});
  }
  changed_.notify_one();
}

void ConsensusThread::inspect(Read read) {
  {
    const std::lock_guard lock(mutex_);
    if (!ended_) {
      own_.push_back(std::move(read));
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
  const auto ready = [this] {
    return stopping_ || !own_.empty() || !frames_.empty() || !transactions_.empty();
  };
  if (deadline) {
    changed_.wait_until(lock, to_time_point(*deadline), ready);
  } else {
    changed_.wait(lock, ready);
  }
  return !stopping_;
}

std::deque<ConsensusThread::Item> ConsensusThread::take_turn() {
  const std::lock_guard lock(mutex_);
  std::deque<Item> work = std::exchange(own_, {});
  frames_.take(kFramesPerTurn, work);
  transactions_.take(kBundlesPerTurn, work);
  return work;
}

void ConsensusThread::run(ReplicaStarted started) {
  step(std::move(started));
  Instant not_before;
  while (true) {
    auto deadline = replica_->next_deadline();
    if (deadline) deadline = std::max(*deadline, not_before);
    if (!wait_for_work(deadline)) break;
    const Instant woken = monotonic_now();
    std::deque<Item> work = take_turn();
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
  answer_inspections();
}

// Whoever asked a question waits for the answer.
void ConsensusThread::answer_inspections() {
  while (true) {
    std::deque<Item> work;
    {
      const std::lock_guard lock(mutex_);
      work.swap(own_);
      if (work.empty()) {
        ended_ = true;
        return;
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
  out.queued_urgent = own_.size() + frames_.size();
  out.queued_bulk = transactions_.size();
  return out;
}

}  // namespace quorate::node
