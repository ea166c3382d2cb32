#include "tests/sim/disk.hpp"

#include <algorithm>

namespace quorate::sim {
namespace {

constexpr Duration kSyncMin = std::chrono::microseconds(100);
constexpr Duration kSyncMax = std::chrono::microseconds(900);
constexpr Duration kSlowSyncMin = std::chrono::milliseconds(20);
constexpr Duration kSlowSyncMax = std::chrono::milliseconds(400);
constexpr Duration kSyncReport = std::chrono::microseconds(20);
constexpr std::size_t kSector = 512;  // reaches the disk whole or not at all

}  // namespace

Disk::Disk(World& world, Machine machine, Prng prng, Hooks hooks)
    : world_(world), machine_(machine), prng_(prng), hooks_(std::move(hooks)) {}

void Disk::append(consensus::PersistToken token, Bytes record, bool snapshot) {
  if (off_) return;
  world_.trace(snapshot ? "append snapshot" : "append", machine_.value(), token.value(),
               record.size());
  pending_.push_back({token, std::move(record), snapshot});
  if (lies()) {
    const std::uint64_t life = life_;
    world_.timeline.after(Duration(0), [this, life, token] {
      if (life == life_) hooks_.persisted(token);
    });
  }
  if (!syncing_) start_sync();
  hooks_.appended();
}

// The canary that reports votes as durable before they are.
bool Disk::lies() const {
  return world_.options.canary == Canary::early_persisted && machine_ == Machine(1);
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
  const std::uint64_t synced = contents_.last_index;
  for (std::size_t i = 0; i < count; ++i) {
    pending_.front().synced = synced;
    make_durable(std::move(pending_.front()));
    pending_.pop_front();
  }
  world_.trace("synced", machine_.value(), last.value(), contents_.records.size());
  syncing_ = false;
  if (hooks_.crash_after_sync()) return;
  // One report for the whole group, as a real log writer makes it.
  world_.timeline.after(kSyncReport, [this, life = life_, last] {
    if (life == life_ && !lies()) hooks_.persisted(last);
  });
  if (!pending_.empty()) start_sync();
}

void Disk::make_durable(Record record) {
  record.index = ++contents_.last_index;
  if (record.snapshot) {
    contents_.records.clear();
    contents_.state_index = record.index;
  }
  std::vector<SignatureNumber> found;
  world_.keys.scan(record.bytes, found);
  for (const SignatureNumber number : found) {
    for (std::vector<bool>* set : {&durable_, &ever_durable_}) {
      if (number >= set->size()) set->resize(number + 1);
      (*set)[number] = true;
    }
  }
  contents_.records.push_back(std::move(record));
}

void Disk::crash() {
  ++life_;
  syncing_ = false;
  off_ = false;
  const std::size_t survivors = prng_.below(pending_.size() + 1);
  if (survivors < pending_.size()) world_.coverage.add(Happened::unsynced_votes_lost);
  const std::uint64_t synced = contents_.last_index;
  for (std::size_t i = 0; i < survivors; ++i) {
    pending_[i].synced = synced;
    make_durable(pending_[i]);
  }
  if (std::exchange(tear_, false)) keep_torn(survivors);
  pending_.clear();
  if (world_.options.canary == Canary::forgotten_votes) contents_ = Contents{};
}

// The disk took some sectors of the records behind the survivors: whole ones, from the front, with
// one missing as likely as not.
void Disk::keep_torn(std::size_t first) {
  if (first == pending_.size()) return;  // nothing was being written, perhaps since nothing can be
  const Bytes synced = file();
  const auto scan = node::scan_vote_log(synced);
  QUORATE_ASSERT(scan.has_value());
  Digest running = scan->running;
  Bytes bytes;
  std::uint64_t index = contents_.last_index;
  for (std::size_t i = first; i < pending_.size() && !pending_[i].snapshot; ++i) {
    node::append_vote_record(bytes, salt(), node::VoteRecordKind::vote, ++index,
                             contents_.last_index, pending_[i].bytes, running);
  }
  const std::size_t end_of_synced = synced_bytes();
  std::vector<std::size_t> sectors = {0};  // where each one's part of `bytes` begins
  for (std::size_t at = kSector - end_of_synced % kSector; at < bytes.size(); at += kSector) {
    sectors.push_back(at);
  }
  if (sectors.size() < 2) return;
  const std::size_t kept = prng_.between(1, sectors.size() - 1);
  bytes.resize(sectors[kept]);
  if (prng_.one_in(2)) {
    const std::size_t missing = prng_.below(kept);
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(sectors[missing]),
              bytes.begin() + static_cast<std::ptrdiff_t>(sectors[missing + 1]), std::uint8_t{0});
  }
  world_.coverage.add(Happened::torn_tail);
  contents_.rest = std::move(bytes);
}

node::VoteLogSalt Disk::salt() const {
  node::VoteLogSalt out;
  out.bytes.fill(static_cast<std::uint8_t>(machine_.value() + 1));
  return out;
}

Bytes Disk::file() const {
  if (contents_.damaged) return *contents_.damaged;
  const PublicKey key = world_.membership.key(world_.identity(machine_));
  node::VoteLogHeader header{{world_.membership.chain_id, key, {}}, salt(), 1, 1, {}};
  if (!contents_.records.empty()) header.first_index = contents_.records.front().index;
  Bytes out = node::encode_vote_log_header(header);
  Digest running = header.running;
  for (const Record& record : contents_.records) {
    node::append_vote_record(
        out, header.salt,
        record.snapshot ? node::VoteRecordKind::snapshot : node::VoteRecordKind::vote, record.index,
        record.synced, record.bytes, running);
  }
  out.insert(out.end(), contents_.rest.begin(), contents_.rest.end());
  return out;
}

std::size_t Disk::synced_bytes() const { return file().size() - contents_.rest.size(); }

// Follows VoteLogStore::open: what the log and validator_state.json say about each other.
Disk::Opened Disk::open() {
  Opened out;
  if (contents_.records.empty() && contents_.state_index > 0) {
    out.observer_reason = "the votes are gone, but their index is not";
    return out;
  }
  const bool touched = contents_.damaged || !contents_.rest.empty();
  if (touched) {
    const Bytes bytes = file();
    const auto scan = node::scan_vote_log(bytes);
    if (!scan || scan->amnesia) {
      out.observer_reason = scan ? *scan->amnesia : scan.error().detail;
      return out;
    }
    // What lies behind the last whole record was never synced, or the index below tells. A torn
    // piece may hold whole records too.
    contents_.records.resize(std::min(contents_.records.size(), scan->records.size()));
    for (std::size_t i = contents_.records.size(); i < scan->records.size(); ++i) {
      const node::VoteRecordView& whole = scan->records[i];
      contents_.records.push_back({{}, to_bytes(whole.body), false, whole.index, 0});
    }
    contents_.last_index = scan->last_index;
    contents_.rest.clear();
    contents_.damaged.reset();
  }
  if (contents_.last_index < contents_.state_index) {
    out.observer_reason = "the log ends before the record that was known to be synced";
    return out;
  }
  remember_signatures();
  for (const Record& record : contents_.records) out.records.push_back(record.bytes);
  return out;
}

// What counts from here on is what this life has read: whole records of a torn piece included.
void Disk::remember_signatures() {
  durable_.clear();
  std::vector<SignatureNumber> found;
  for (const Record& record : contents_.records) world_.keys.scan(record.bytes, found);
  for (const SignatureNumber number : found) {
    for (std::vector<bool>* set : {&durable_, &ever_durable_}) {
      if (number >= set->size()) set->resize(number + 1);
      (*set)[number] = true;
    }
  }
}

void Disk::restore(Contents contents) { contents_ = std::move(contents); }

void Disk::wipe(bool state_too) {
  const std::uint64_t state_index = state_too ? 0 : contents_.state_index;
  contents_ = Contents{};
  contents_.state_index = state_index;
}

bool Disk::holds(SignatureNumber signature) const {
  return signature < durable_.size() && durable_[signature];
}

bool Disk::ever_held(SignatureNumber signature) const {
  return signature < ever_durable_.size() && ever_durable_[signature];
}

bool Disk::holds_bytes(ByteView bytes) const {
  return std::any_of(
      contents_.records.rbegin(), contents_.records.rend(), [&](const Record& record) {
        return std::search(record.bytes.begin(), record.bytes.end(), bytes.begin(), bytes.end()) !=
               record.bytes.end();
      });
}

}  // namespace quorate::sim
