#include "ledger/memory_snapshots.hpp"

namespace quorate::ledger {

Result<std::vector<Height>> MemorySnapshots::list() const {
  std::vector<Height> out;
  for (const auto& [height, content] : snapshots_) out.push_back(height);
  return out;
}

Result<void> MemorySnapshots::take(Height height) {
  WriteBatch content;
  for (const Family family : {Family::meta, Family::state}) {
    QUORATE_CHECK(store_->scan(family, {}, {}, [&](ByteView key, ByteView value) {
      content.put(family, to_bytes(key), to_bytes(value));
      return true;
    }));
  }
  snapshots_.insert_or_assign(height, std::move(content));
  return {};
}

Result<std::unique_ptr<KvStore>> MemorySnapshots::open(Height height) const {
  const auto found = snapshots_.find(height);
  if (found == snapshots_.end()) {
    return fail(Errc::not_found,
                "there is no snapshot of height " + std::to_string(height.value()));
  }
  auto out = std::make_unique<MemoryStore>();
  QUORATE_CHECK(out->write(found->second, true));
  return out;
}

Result<void> MemorySnapshots::remove(Height height) {
  snapshots_.erase(height);
  return {};
}

}  // namespace quorate::ledger
