#include "rpc/client/work_pace.hpp"

#include <algorithm>
#include <cmath>

namespace quorate::rpc {
namespace {

using Record = HeaderFile::Record;

// What a depth is read off, twice over, but not so few that chance alone makes them slow.
constexpr std::uint64_t kStretchMin = 12;
constexpr std::uint64_t kStretchMax = 4'096;

double number(const crypto::work::Uint256& value) {
  double out = 0;
  for (std::size_t i = value.words.size(); i-- > 0;) {
    out = std::ldexp(out, 64) + static_cast<double>(value.words.at(i));
  }
  return out;
}

double work_between(const Record& older, const Record& newer) {
  return number(newer.total_work) - number(older.total_work);
}

class PaceMeter {
 public:
  PaceMeter(const WorkChain& chain, WallMs now)
      : chain_(chain),
        now_s_(static_cast<double>(now.value()) / 1000),
        interval_s_(static_cast<double>(chain.parameters().interval_ms) / 1000),
        stretch_(std::max<std::uint64_t>(2 * chain.parameters().depth, kStretchMin)) {}

  bool can_tell() const { return chain_.tip().value() > stretch_; }

  // Of stretches of one half-life each, which chance makes faster or slower by little.
  Result<double> best() const {
    const std::uint64_t half_life =
        chain_.parameters().half_life_s * 1000 / chain_.parameters().interval_ms;
    const std::uint64_t length = std::min(std::max(stretch_, half_life), chain_.tip().value() - 1);
    const std::uint64_t step = std::max<std::uint64_t>(length / 2, 1);
    const std::uint64_t remembered =
        kPaceRememberedS * 1000 / chain_.parameters().interval_ms + length;
    const std::uint64_t first = chain_.tip().saturating_sub(remembered).value();
    double out = 0;
    for (std::uint64_t end = chain_.tip().value(); end > std::max(length, first);
         end -= std::min(step, end)) {
      QUORATE_TRY(const Record newer, chain_.record(Height(end)));
      QUORATE_TRY(const Record older, chain_.record(Height(end - length)));
      const double took = time_of(newer) - time_of(older);
      out = std::max(out, work_between(older, newer) / seconds(length, took));
    }
    return out;
  }

  // The slowest stretch that ends now.
  Result<WorkPace> newest() const {
    const double looked_at =
        std::max(static_cast<double>(kPaceHalfLives * chain_.parameters().half_life_s),
                 4 * static_cast<double>(stretch_) * interval_s_);
    QUORATE_TRY(const Record tip, chain_.record(chain_.tip()));
    WorkPace out;
    const std::uint64_t most = std::min(chain_.tip().value() - 1, kStretchMax);
    for (std::uint64_t length = stretch_; length <= most; ++length) {
      QUORATE_TRY(const Record older, chain_.record(Height(chain_.tip().value() - length)));
      const double took = now_s_ - time_of(older);
      const double counted = std::min(took, looked_at) - kPacePatienceS;
      const double pace = work_between(older, tip) / seconds(length, counted);
      if (out.headers == 0 || pace < out.newest) out = {pace, 0, length, took, false};
      if (took > looked_at) break;
    }
    return out;
  }

 private:
  static double time_of(const Record& record) { return static_cast<double>(record.header.time_s); }
  double seconds(std::uint64_t blocks, double took) const {
    return std::max(static_cast<double>(blocks) * interval_s_, took);
  }

  const WorkChain& chain_;
  double now_s_;
  double interval_s_;
  std::uint64_t stretch_;
};

std::string in_percent(double part) {
  const double percent = part * 100;
  return percent < 1 ? "less than 1 %" : std::to_string(static_cast<int>(percent)) + " %";
}

}  // namespace

Result<WorkPace> measure_pace(const WorkChain& chain, WallMs now) {
  const PaceMeter meter(chain, now);
  if (!meter.can_tell()) return WorkPace{};
  QUORATE_TRY(WorkPace out, meter.newest());
  QUORATE_TRY(out.best, meter.best());
  out.slow = out.best > kPaceWorthwhile && out.newest < kPaceOfBest * out.best;
  return out;
}

std::string describe(const WorkPace& pace) {
  return "the newest " + std::to_string(pace.headers) + " headers took " +
         std::to_string(static_cast<std::uint64_t>(pace.seconds)) + " s and carry " +
         in_percent(pace.newest / pace.best) +
         " of the work per second that a day of this chain's headers had at best";
}

}  // namespace quorate::rpc
