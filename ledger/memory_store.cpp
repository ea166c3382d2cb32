#include "ledger/memory_store.hpp"

#include <algorithm>
#include <mutex>

namespace quorate::ledger {

Result<Bytes> MemoryStore::get(Family family, ByteView key) const {
  const std::shared_lock lock(mutex_);
  const auto found = map(family).find(key);
  if (found == map(family).end()) return fail(Errc::not_found, "no such key " + to_0x(key));
  return found->second;
}

Result<void> MemoryStore::scan(
    Family family, ByteView prefix, ByteView from,
    const std::function<bool(ByteView key, ByteView value)>& visit) const {
  const std::shared_lock lock(mutex_);
  const ByteView start = Less{}(from, prefix) ? prefix : from;
  for (auto at = map(family).lower_bound(start); at != map(family).end(); ++at) {
    const ByteView key = at->first;
    const bool matches =
        key.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), key.begin());
    if (!matches || !visit(key, at->second)) break;
  }
  return {};
}

void MemoryStore::set(Family family, const Bytes& key, const std::optional<Bytes>& value) {
  Map& target = map(family);
  if (const auto old = target.find(key); old != target.end()) {
    size_bytes_ -= key.size() + old->second.size();
    target.erase(old);
  }
  if (!value) return;
  size_bytes_ += key.size() + value->size();
  target.emplace(key, *value);
}

Result<void> MemoryStore::write(const WriteBatch& batch, bool sync) {
  const std::unique_lock lock(mutex_);
  if (writes_left_ == 0) return fail(Errc::io, "the memory store was told to fail this write");
  if (writes_left_ != kNever) --writes_left_;
  std::vector<WriteBatch::Put> replaced;
  for (const WriteBatch::Put& put : batch.puts) {
    if (!sync) {
      const auto old = map(put.family).find(put.key);
      const bool existed = old != map(put.family).end();
      replaced.push_back(
          {put.family, put.key, existed ? std::optional<Bytes>(old->second) : std::nullopt});
    }
    set(put.family, put.key, put.value);
  }
  // One log holds all writes: syncing this batch makes every earlier one durable too.
  if (sync) {
    undo_.clear();
  } else {
    undo_.push_back(std::move(replaced));
  }
  return {};
}

void MemoryStore::drop_unsynced(std::size_t survivors) {
  const std::unique_lock lock(mutex_);
  while (undo_.size() > survivors) {
    const std::vector<WriteBatch::Put>& batch = undo_.back();
    for (auto put = batch.rbegin(); put != batch.rend(); ++put) {
      set(put->family, put->key, put->value);
    }
    undo_.pop_back();
  }
  undo_.clear();
}

std::size_t MemoryStore::unsynced_batches() const {
  const std::shared_lock lock(mutex_);
  return undo_.size();
}

void MemoryStore::fail_after(std::size_t writes) {
  const std::unique_lock lock(mutex_);
  writes_left_ = writes;
}

std::unique_ptr<MemoryStore> MemoryStore::copy(bool unsynced_too) const {
  auto out = std::make_unique<MemoryStore>();
  {
    const std::shared_lock lock(mutex_);
    out->families_ = families_;
    out->undo_ = undo_;
    out->size_bytes_ = size_bytes_;
  }
  out->drop_unsynced(unsynced_too ? out->undo_.size() : 0);
  return out;
}

std::size_t MemoryStore::size_bytes() const {
  const std::shared_lock lock(mutex_);
  return size_bytes_;
}

}  // namespace quorate::ledger
