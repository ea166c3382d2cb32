#include "node/runtime/miner.hpp"

#include <pthread.h>

#include <algorithm>
#include <ctime>

#include "crypto/base/assert.hpp"
#include "crypto/keys.hpp"

namespace quorate::node {

namespace {

// What a slice should take of a processor: short enough that a puzzle which was replaced is left at
// once, long enough that the clock and the lock cost nothing.
constexpr Duration kSlice = std::chrono::milliseconds(2);
constexpr std::uint64_t kFirstCount = 256;
constexpr std::uint64_t kCountMax = std::uint64_t{1} << 24U;
// The rate of late is that of the last five to ten seconds.
constexpr std::chrono::seconds kRateWindow{5};

// Of the calling thread: time in which it was not running costs nobody anything.
Duration processor_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

std::uint64_t next_count(std::uint64_t count, Duration spent) {
  if (spent > 2 * kSlice) return std::max<std::uint64_t>(1, count / 2);
  if (spent < kSlice / 2) return std::min(kCountMax, count * 2);
  return count;
}

std::uint64_t random_number() {
  const crypto::SecretSeed seed = crypto::SecretSeed::random();
  std::uint64_t out = 0;
  for (const std::uint8_t byte : seed.expose().first(sizeof(out))) out = out << 8U | byte;
  return out;
}

}  // namespace

MinerThreads::MinerThreads(std::shared_ptr<const consensus::PuzzleSolver> solver,
                           MinerOptions options, Found found)
    : solver_(std::move(solver)),
      options_(options),
      found_(std::move(found)),
      cursor_(random_number()),
      chance_(random_number()) {
  QUORATE_ASSERT(solver_ != nullptr && options_.duty_percent >= 1 && options_.duty_percent <= 100);
  older_.at = newer_.at = Clock::now();
  for (unsigned i = 0; i < std::max(1U, options_.threads); ++i) {
    threads_.emplace_back([this] {
      pthread_setname_np(pthread_self(), "quorate-mine");
      run();
    });
  }
}

MinerThreads::~MinerThreads() { stop(); }

void MinerThreads::start(consensus::WorkToken token, Bytes puzzle) {
  {
    const std::lock_guard lock(mutex_);
    job_ = Job{token, std::make_shared<const Bytes>(std::move(puzzle)), draw_start()};
  }
  changed_.notify_all();
}

void MinerThreads::cancel(consensus::WorkToken token) {
  const std::lock_guard lock(mutex_);
  if (job_ && job_->token == token) job_.reset();
}

void MinerThreads::pending(bool waits) {
  {
    const std::lock_guard lock(mutex_);
    if (waits == pending_) return;
    pending_ = waits;
    // The wait has no memory: what is left of it after a pause is a wait of the same mean.
    if (job_ && waits) job_->not_before = draw_start();
  }
  changed_.notify_all();
}

MinerThreads::Clock::time_point MinerThreads::draw_start() {
  if (!instant()) return Clock::time_point::min();
  const auto mean = std::chrono::duration<double>(options_.instant_mean).count();
  std::exponential_distribution<double> wait(1 / mean);
  return Clock::now() +
         std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(wait(chance_)));
}

void MinerThreads::run() {
  std::uint64_t count = kFirstCount;
  std::unique_lock lock(mutex_);
  while (wait_for_work(lock)) search_slice(lock, count);
}

bool MinerThreads::wait_for_work(std::unique_lock<std::mutex>& lock) {
  while (!stopping_) {
    const bool held = instant() && !pending_;
    if (!job_ || held) {
      changed_.wait(lock);
    } else if (Clock::now() < job_->not_before) {
      const auto until = job_->not_before;
      changed_.wait_until(lock, until);
    } else {
      return true;
    }
  }
  return false;
}

void MinerThreads::search_slice(std::unique_lock<std::mutex>& lock, std::uint64_t& count) {
  const auto puzzle = job_->puzzle;
  const consensus::WorkToken token = job_->token;
  const std::uint64_t first = cursor_;
  cursor_ += count;
  lock.unlock();
  const Duration before = processor_time();
  const auto nonce = solver_->search(*puzzle, first, count);
  const Duration spent = processor_time() - before;
  lock.lock();
  hashes_ += nonce ? *nonce - first + 1 : count;
  if (!nonce) count = next_count(count, spent);
  // Another thread may have found one first, or the puzzle is not wanted any more.
  if (nonce && !stopping_ && job_ && job_->token == token) {
    job_.reset();
    lock.unlock();
    found_(token, *nonce);
    lock.lock();
  }
  rest(lock, spent);
}

// A new puzzle does not end the rest: what was spent was spent.
void MinerThreads::rest(std::unique_lock<std::mutex>& lock, Duration spent) {
  const unsigned duty = options_.duty_percent;
  if (duty == 100) return;
  const auto until = Clock::now() + spent * (100 - duty) / duty;
  changed_.wait_until(lock, until, [this] { return stopping_; });
}

void MinerThreads::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    job_.reset();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

MiningStatistics MinerThreads::statistics() const {
  const std::lock_guard lock(mutex_);
  const Sample now{Clock::now(), hashes_};
  if (now.at - newer_.at >= kRateWindow) {
    older_ = newer_;
    newer_ = now;
  }
  MiningStatistics out;
  out.hashes = hashes_;
  out.threads = static_cast<unsigned>(threads_.size());
  out.duty_percent = options_.duty_percent;
  const double seconds = std::chrono::duration<double>(now.at - older_.at).count();
  if (seconds > 0) {
    out.hashes_per_second =
        static_cast<std::uint64_t>(static_cast<double>(now.hashes - older_.hashes) / seconds);
  }
  return out;
}

}  // namespace quorate::node
