// Which part of a run a timeline shows when nobody says.
#include <algorithm>

#include "crypto/certificate/quorum.hpp"
#include "testnet/simulate/svg.hpp"

namespace quorate::testnet {

namespace {

using sim::timed::MessageType;

constexpr std::size_t kBlocksBefore = 2;
constexpr std::size_t kBlocksAfter = 2;
constexpr std::size_t kBlocksUsual = 3;
// Arrows per replica beyond which a picture is a carpet; a large network's single block may be
// more.
constexpr std::size_t kMessagesPerReplica = 150;
// The same for large networks, where every block takes two messages for each pair of replicas.
constexpr std::size_t kMessagesPerPair = 14;
constexpr std::size_t kManyReplicas = 16;
// Without an end of its own, what went wrong is shown for so long.
constexpr Duration kNothingFollows = std::chrono::milliseconds(60);

// When proposals of new heights were sent first, in order.
std::vector<Duration> proposals(const Recorder& record) {
  std::vector<Duration> out;
  std::uint64_t highest = 0;
  for (const RecordedMessage& message : record.messages()) {
    if (message.type != MessageType::pre_prepare || message.height <= highest) continue;
    highest = message.height;
    out.push_back(message.sent);
  }
  return out;
}

// The last moment at which one of the next `blocks` heights executed after `from` was executed.
Duration blocks_after(const Recorder& record, Duration from, std::size_t blocks) {
  std::uint64_t highest = 0;
  for (const ExecutedMark& mark : record.executed()) {
    if (mark.when < from) highest = std::max(highest, mark.height);
  }
  Duration out = from;
  for (const ExecutedMark& mark : record.executed()) {
    // A replica that lags may execute them much later.
    const bool near = out == from || mark.when - out < std::chrono::milliseconds(500);
    if (mark.when >= from && mark.height > highest && mark.height <= highest + blocks && near) {
      out = std::max(out, mark.when);
    }
  }
  return out;
}

std::size_t carpet(const SimulationReport& report) {
  const std::size_t n = report.scene.replicas;
  return std::max(kMessagesPerReplica * n, kMessagesPerPair * n * n);
}

std::size_t messages_within(const Recorder& record, Window window) {
  return static_cast<std::size_t>(std::count_if(
      record.messages().begin(), record.messages().end(), [window](const RecordedMessage& message) {
        return !message.again && message.sent >= window.begin && message.sent <= window.end;
      }));
}

Duration before(const std::vector<Duration>& proposed, Duration moment, std::size_t count) {
  const auto at = std::lower_bound(proposed.begin(), proposed.end(), moment);
  const auto back =
      std::min<std::ptrdiff_t>(at - proposed.begin(), static_cast<std::ptrdiff_t>(count));
  return back == 0 ? moment : *(at - back);
}

// From a little before `trigger` until blocks come again.
Window around(const SimulationReport& report, const std::vector<Duration>& proposed,
              Duration trigger) {
  const Recorder& record = report.record;
  Duration settled = trigger;
  for (const StoryEntry& entry : record.story()) {
    const bool by_quorum = entry.kind == StoryEntry::Kind::entered &&
                           entry.replicas.size() >= crypto::quorum_size(report.scene.replicas);
    if (!by_quorum || entry.first < trigger) continue;
    settled = entry.first;
    break;
  }
  const bool many = report.scene.replicas >= kManyReplicas;
  Window out{before(proposed, trigger, many ? 1 : kBlocksBefore), settled + kNothingFollows};
  if (settled != trigger) out.end = blocks_after(record, settled, many ? 1 : kBlocksAfter);
  return out;
}

// Starting with what is there, the longest window that is no carpet.
Window thinned(const SimulationReport& report, Window window) {
  const std::size_t most = carpet(report);
  std::size_t count = 0;
  for (const RecordedMessage& message : report.record.messages()) {
    if (message.again || message.sent < window.begin || message.sent > window.end) continue;
    if (++count > most) return {window.begin, message.sent};
  }
  return window;
}

Window with_margin(Window window) {
  const Duration margin = std::max((window.end - window.begin) / 200, Duration(20'000));
  return {std::max(Duration(0), window.begin - margin), window.end + margin};
}

}  // namespace

Window default_window(const SimulationReport& report) {
  const Recorder& record = report.record;
  const std::vector<Duration> proposed = proposals(record);
  if (proposed.empty()) return {Duration(0), report.scene.length};
  if (!record.trigger()) {
    const Duration begin = proposed[proposed.size() / 2];
    return with_margin(thinned(report, {begin, blocks_after(record, begin, kBlocksUsual)}));
  }
  Window out = around(report, proposed, *record.trigger());
  // A fault that the others hardly notice: what follows it at a distance is the better picture.
  if (messages_within(record, out) > carpet(report)) {
    for (const StoryEntry& entry : record.story()) {
      if (entry.kind != StoryEntry::Kind::suspected || entry.first < *record.trigger()) continue;
      out = around(report, proposed, entry.first);
      break;
    }
  }
  return with_margin(thinned(report, out));
}

}  // namespace quorate::testnet
