#include "testnet/load/collector.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "testnet/load/statistics.hpp"

namespace quorate::testnet {

namespace {

// Enough to choose samples from; older ones make room.
constexpr std::size_t kFreshMax = 1000;

double milliseconds(LoadClock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

Result<std::unique_ptr<AckFile>> AckFile::open(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) {
    return fail(Errc::io, "cannot open " + path.string() + ": " + std::strerror(errno));
  }
  return std::make_unique<AckFile>(fd);
}

AckFile::~AckFile() { ::close(fd_); }

Result<void> AckFile::append(const std::string& lines) {
  std::size_t done = 0;
  while (done < lines.size()) {
    const auto wrote = ::write(fd_, lines.data() + done, lines.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return fail(Errc::io, std::string("write: ") + std::strerror(errno));
    done += static_cast<std::size_t>(wrote);
  }
  if (::fdatasync(fd_) != 0) return fail(Errc::io, std::string("sync: ") + std::strerror(errno));
  return {};
}

Collector::Collector(const Workload& work, Schedule schedule, AckFile* ack)
    : work_(work), schedule_(schedule), ack_(ack), final_at_(work.size()), final_in_(work.size()) {}

void Collector::on_final(const FinalBlock& block) {
  const std::lock_guard lock(mutex_);
  std::string acknowledged;
  for (std::size_t i = 0; i < block.transaction_ids.size(); ++i) {
    const auto k = work_.find(block.transaction_ids[i]);
    if (!k) continue;
    const bool known = i < block.receipts.size();
    // A skipped copy says nothing about the transaction; its first execution does.
    if (known && block.receipts[i].outcome == ledger::Outcome::skipped) continue;
    if (final_at_[*k] != LoadClock::time_point{}) continue;
    final_at_[*k] = block.verified;
    final_in_[*k] = block.height;
    ++finals_;
    recent_ms_.push_back(milliseconds(block.verified - schedule_.due(*k)));
    if (fresh_.size() < kFreshMax) fresh_.push_back(*k);
    if (known && block.receipts[i].outcome == ledger::Outcome::failed) ++failed_;
    if (known && block.receipts[i].outcome == ledger::Outcome::succeeded) {
      acknowledged += to_0x(block.transaction_ids[i]) + "\n";
    }
  }
  if (ack_ == nullptr || acknowledged.empty()) return;
  if (const auto written = ack_->append(acknowledged); !written && ack_error_.empty()) {
    ack_error_ = written.error().detail;
  }
}

void Collector::on_withdrawn(std::uint64_t height) {
  const std::lock_guard lock(mutex_);
  for (std::size_t k = 0; k < final_in_.size(); ++k) {
    if (final_in_[k] == 0 || final_in_[k] < height) continue;
    final_at_[k] = LoadClock::time_point{};
    final_in_[k] = 0;
    --finals_;
    ++reversed_;
  }
}

double Collector::sustained_rate() const {
  std::vector<LoadClock::time_point> times;
  {
    const std::lock_guard lock(mutex_);
    for (const auto at : final_at_) {
      if (at != LoadClock::time_point{}) times.push_back(at);
    }
  }
  if (times.empty()) return 0;
  std::sort(times.begin(), times.end());
  const auto first = times[times.size() / 10];
  const auto last = times[times.size() - 1 - times.size() / 10];
  if (first == last) return 0;
  // What the first of these blocks brought had gathered before the time that is measured.
  const auto later = std::count_if(times.begin(), times.end(),
                                   [first, last](auto at) { return at > first && at <= last; });
  return 1e3 * static_cast<double>(later) / milliseconds(last - first);
}

std::optional<double> Collector::recent_median_ms() {
  const std::lock_guard lock(mutex_);
  if (recent_ms_.empty()) return std::nullopt;
  return median(std::exchange(recent_ms_, {}));
}

std::vector<std::size_t> Collector::unfinished(std::size_t sent_bound) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::size_t> out;
  for (std::size_t k = 0; k < std::min(sent_bound, final_at_.size()); ++k) {
    if (final_at_[k] == LoadClock::time_point{}) out.push_back(k);
  }
  return out;
}

std::vector<double> Collector::latencies_ms(LoadClock::time_point from,
                                            LoadClock::time_point to) const {
  const std::lock_guard lock(mutex_);
  std::vector<double> out;
  for (std::size_t k = 0; k < final_at_.size(); ++k) {
    const auto due = schedule_.due(k);
    if (due < from || due >= to || final_at_[k] == LoadClock::time_point{}) continue;
    out.push_back(milliseconds(final_at_[k] - due));
  }
  return out;
}

std::uint64_t Collector::final_between(LoadClock::time_point from, LoadClock::time_point to) const {
  const std::lock_guard lock(mutex_);
  std::uint64_t count = 0;
  for (const auto at : final_at_) count += at >= from && at < to ? 1U : 0U;
  return count;
}

std::vector<double> Collector::moments_s() const {
  std::set<LoadClock::time_point> moments;
  {
    const std::lock_guard lock(mutex_);
    for (const auto at : final_at_) {
      if (at > schedule_.start) moments.insert(at);
    }
  }
  std::vector<double> out;
  for (const auto at : moments) out.push_back(milliseconds(at - schedule_.start) / 1e3);
  return out;
}

std::vector<std::size_t> Collector::take_sample(std::size_t most) {
  const std::lock_guard lock(mutex_);
  std::vector<std::size_t> out;
  const std::size_t step = std::max<std::size_t>(1, fresh_.size() / std::max<std::size_t>(1, most));
  for (std::size_t i = 0; i < fresh_.size() && out.size() < most; i += step) {
    out.push_back(fresh_[i]);
  }
  fresh_.clear();
  return out;
}

std::string Collector::ack_error() const {
  const std::lock_guard lock(mutex_);
  return ack_error_;
}

}  // namespace quorate::testnet
