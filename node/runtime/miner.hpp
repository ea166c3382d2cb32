// The miner port: threads that search nonces for the puzzle of the moment, a slice at a time.
//
// Each thread spends at most its duty of one processor: it measures the processor time of a slice
// and sleeps the rest, so that a testnet of many nodes leaves the machine to others. No thread ever
// spins. The nonces go on where the last puzzle left off, so that a puzzle that comes again is not
// searched for a second time from its beginning.
//
// Instant mining is for tests on chains whose easiest target is trivial: a puzzle is searched only
// while transactions wait to be executed or buried, and only after a random wait of a given mean,
// drawn anew for every puzzle. The proof of work stays valid, and proves nothing.
//
// Thread-safe. `found` is called on a mining thread, at most once for each puzzle that was started,
// and never after stop().
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "node/ports.hpp"
#include "node/runtime/statistics.hpp"

namespace quorate::node {

struct MinerOptions {
  unsigned threads = 1;
  unsigned duty_percent = 100;                // of one processor, for each thread; 1 to 100
  std::chrono::milliseconds instant_mean{0};  // above 0: instant mining
};

class MinerThreads final : public Miner {
 public:
  using Found = std::function<void(consensus::WorkToken token, std::uint64_t nonce)>;

  MinerThreads(std::shared_ptr<const consensus::PuzzleSolver> solver, MinerOptions options,
               Found found);
  ~MinerThreads() override;  // stops
  MinerThreads(const MinerThreads&) = delete;
  MinerThreads& operator=(const MinerThreads&) = delete;

  void start(consensus::WorkToken token, Bytes puzzle) override;
  void cancel(consensus::WorkToken token) override;
  void pending(bool waits) override;

  // Gives up the puzzle of the moment and joins the threads.
  void stop();
  MiningStatistics statistics() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Job {
    consensus::WorkToken token;
    std::shared_ptr<const Bytes> puzzle;
    Clock::time_point not_before;
  };
  struct Sample {
    Clock::time_point at;
    std::uint64_t hashes = 0;
  };

  void run();
  // With the lock held. False when the miner stops.
  bool wait_for_work(std::unique_lock<std::mutex>& lock);
  void search_slice(std::unique_lock<std::mutex>& lock, std::uint64_t& count);
  void rest(std::unique_lock<std::mutex>& lock, Duration spent);
  bool instant() const { return options_.instant_mean.count() > 0; }
  Clock::time_point draw_start();

  const std::shared_ptr<const consensus::PuzzleSolver> solver_;
  const MinerOptions options_;
  const Found found_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool stopping_ = false;
  bool pending_ = false;
  std::optional<Job> job_;
  std::uint64_t cursor_ = 0;  // the next nonce that nobody has tried
  std::mt19937_64 chance_;
  std::uint64_t hashes_ = 0;
  mutable Sample older_, newer_;  // for the rate of late

  std::vector<std::thread> threads_;
};

}  // namespace quorate::node
