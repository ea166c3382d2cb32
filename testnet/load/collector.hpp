// What became of the transactions of one workload, gathered from verified blocks. Thread-safe.
#pragma once

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "testnet/load/finality.hpp"
#include "testnet/load/sender.hpp"
#include "testnet/load/workload.hpp"

namespace quorate::testnet {

// Transactions whose outcome the client has proved, one id per line, on disk before anybody relies
// on it: what a client may call acknowledged even if the machine fails the next moment.
class AckFile {
 public:
  static Result<std::unique_ptr<AckFile>> open(const std::filesystem::path& path);
  explicit AckFile(int fd) : fd_(fd) {}
  AckFile(const AckFile&) = delete;
  AckFile& operator=(const AckFile&) = delete;
  ~AckFile();
  // Appends and syncs. Error io.
  Result<void> append(const std::string& lines);

 private:
  int fd_;
};

class Collector {
 public:
  // `ack` may be null. All must outlive the collector.
  Collector(const Workload& work, Schedule schedule, AckFile* ack);

  void on_final(const FinalBlock& block);
  // What became final at `height` or above is so no more.
  void on_withdrawn(std::uint64_t height);

  std::uint64_t finals() const { return finals_; }
  std::uint64_t failed() const {
    return failed_;
  }  // final without effect, where receipts are known
  std::uint64_t reversed() const { return reversed_; }  // were final once, and withdrawn
  // The median latency of what became final since the last call, in milliseconds; none
  // when nothing did.
  std::optional<double> recent_median_ms();
  // Sent transactions that are not final: all k < `sent_bound` without an outcome.
  std::vector<std::size_t> unfinished(std::size_t sent_bound) const;
  // Latencies in milliseconds from the due time, of transactions due in [from, to).
  std::vector<double> latencies_ms(LoadClock::time_point from, LoadClock::time_point to) const;
  // How many became final in [from, to).
  std::uint64_t final_between(LoadClock::time_point from, LoadClock::time_point to) const;
  // Transactions per second between the moments at which a tenth and nine tenths of them had become
  // final; 0 when that was one moment. For chains whose blocks are many seconds behind what they
  // commit, where no window of time fits both.
  double sustained_rate() const;
  // The moments at which something became final, in seconds since the schedule's start, in order.
  std::vector<double> moments_s() const;
  // A sample of final transactions that has not been handed out before; at most `most`.
  std::vector<std::size_t> take_sample(std::size_t most);
  // The first failure to write acknowledgements, empty if none.
  std::string ack_error() const;

 private:
  const Workload& work_;
  const Schedule schedule_;
  AckFile* const ack_;
  mutable std::mutex mutex_;
  std::vector<LoadClock::time_point> final_at_;  // epoch = not final
  std::vector<std::uint64_t> final_in_;          // height; 0 = not final
  std::vector<double> recent_ms_;
  std::vector<std::size_t> fresh_;
  std::string ack_error_;
  std::atomic<std::uint64_t> finals_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::uint64_t> reversed_{0};
};

}  // namespace quorate::testnet
