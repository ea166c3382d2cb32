#include "tests/sim/disk.hpp"

#include <algorithm>

namespace quorate::sim {
namespace {

constexpr Duration kSyncMin = std::chrono::microseconds(100);
constexpr Duration kSyncMax = std::chrono::microseconds(900);
constexpr Duration kSlowSyncMin = std::chrono::milliseconds(20);
constexpr Duration kSlowSyncMax = std::chrono::milliseconds(400);
constexpr Duration kReport = std::chrono::microseconds(20);

}  // namespace

Disk::Disk(World& world, std::uint32_t replica, Prng prng, Hooks hooks)
    : world_(world), replica_(replica), prng_(prng), hooks_(std::move(hooks)) {}

void Disk::append(consensus::PersistToken token, Bytes record, bool snapshot) {
  world_.trace(snapshot ? "append snapshot" : "append", replica_, token.value(), record.size());
  pending_.push_back({token, std::move(record), snapshot});
  if (lies()) {
    const std::uint64_t life = life_;
    world_.timeline.after(Duration(0), [this, life, token] {
      if (life == life_) hooks_.persisted(token);
    });
  }
  if (!syncing_) start_sync();
}

// The canary that reports votes as durable before they are.
bool Disk::lies() const {
  return world_.options.canary == Canary::early_persisted && replica_ == 1;
}

void Disk::start_sync() {
  syncing_ = true;
  const Duration time =
      slow_ ? prng_.duration(kSlowSyncMin, kSlowSyncMax) : prng_.duration(kSyncMin, kSyncMax);
  if (slow_) world_.coverage.add(Happened::slow_disk);
  world_.timeline.after(time, [this, life = life_, count = pending_.size()] {
    if (life == life_) finish_sync(count);
  });
}

void Disk::finish_sync(std::size_t count) {
  const consensus::PersistToken last = pending_[count - 1].token;
  for (std::size_t i = 0; i < count; ++i) {
    make_durable(std::move(pending_.front()));
    pending_.pop_front();
  }
  world_.trace("synced", replica_, last.value(), image_.size());
  syncing_ = false;
  if (hooks_.crash_after_sync()) return;
  // One report for the whole group, as a real log writer makes it.
  world_.timeline.after(kReport, [this, life = life_, last] {
    if (life == life_ && !lies()) hooks_.persisted(last);
  });
  if (!pending_.empty()) start_sync();
}

void Disk::make_durable(Record record) {
  if (record.snapshot) image_.clear();
  std::vector<SignatureNumber> found;
  world_.keys.scan(record.bytes, found);
  for (const SignatureNumber number : found) {
    for (std::vector<bool>* set : {&durable_, &ever_durable_}) {
      if (number >= set->size()) set->resize(number + 1);
      (*set)[number] = true;
    }
  }
  image_.push_back(std::move(record));
}

void Disk::crash() {
  ++life_;
  syncing_ = false;
  const std::size_t survivors = prng_.below(pending_.size() + 1);
  if (survivors < pending_.size()) world_.coverage.add(Happened::unsynced_votes_lost);
  std::deque<Record> image = std::move(image_);
  image_.clear();
  for (std::size_t i = 0; i < survivors; ++i) {
    if (pending_[i].snapshot) image.clear();
    image.push_back(std::move(pending_[i]));
  }
  pending_.clear();
  if (world_.options.canary == Canary::forgotten_votes) image.clear();
  // What counts from here on is what the next life can read.
  durable_.clear();
  for (Record& record : image) {
    record.snapshot = false;
    make_durable(std::move(record));
  }
}

std::vector<Bytes> Disk::image() const {
  std::vector<Bytes> out;
  for (const Record& record : image_) out.push_back(record.bytes);
  return out;
}

bool Disk::holds(SignatureNumber signature) const {
  return signature < durable_.size() && durable_[signature];
}

bool Disk::ever_held(SignatureNumber signature) const {
  return signature < ever_durable_.size() && ever_durable_[signature];
}

bool Disk::holds_bytes(ByteView bytes) const {
  return std::any_of(image_.rbegin(), image_.rend(), [&](const Record& record) {
    return std::search(record.bytes.begin(), record.bytes.end(), bytes.begin(), bytes.end()) !=
           record.bytes.end();
  });
}

}  // namespace quorate::sim
