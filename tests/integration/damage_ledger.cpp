// damage_ledger HOME account|block: makes the ledger of a stopped node wrong, as a flipped bit would.
//   account  one account has a coin too many, so the accounts contradict the head's state root
//   block    the same, and the head's header agrees with it: the ledger is whole, and not the chain's
#include <iostream>

#include "ledger/rocksdb/rocksdb_store.hpp"
#include "ledger/storage_layout.hpp"

namespace quorate::ledger {
namespace {

Result<void> damage(const std::filesystem::path& home, bool consistent) {
  QUORATE_TRY(const auto store,
              RocksdbStore::open(home / "data" / "db", RocksdbStore::Missing::refuse));
  QUORATE_TRY(const Bytes head_bytes,
              layout::read(*store, Family::meta, layout::meta_key(layout::kHeadKey), "head"));
  QUORATE_TRY(Head head, layout::decode_head(head_bytes));
  WriteBatch batch;
  std::vector<StateEntry> changed;
  Result<void> read;
  QUORATE_CHECK(store->scan(Family::state, {}, {}, [&](ByteView key, ByteView value) {
    auto entry = layout::decode_state(key, value);
    if (!entry) {
      read = tl::unexpected(entry.error());
      return false;
    }
    ++entry->leaf.account.balance;
    batch.put(Family::state, to_bytes(key), layout::encode_state(entry->leaf));
    changed.push_back(*entry);
    return false;  // one is enough
  }));
  QUORATE_CHECK(read);
  if (changed.empty()) return fail(Errc::not_found, "there is no account");
  if (consistent) {
    QUORATE_TRY(const StateTree tree, layout::read_state(*store));
    QUORATE_TRY(const Bytes header_bytes,
                layout::read(*store, Family::blocks, layout::header_key(head.height), "header"));
    QUORATE_TRY(Header header, layout::decode_stored_header(header_bytes, head.height));
    header.state_root = tree.with(changed).root();
    head.block_hash = block_hash(header);
    batch.put(Family::blocks, layout::header_key(head.height), encode(header));
    batch.put(Family::index, layout::block_hash_key(head.block_hash),
              layout::encode_height(head.height));
    batch.put(Family::meta, layout::meta_key(layout::kHeadKey), layout::encode_head(head));
  }
  return store->write(batch, true);
}

}  // namespace
}  // namespace quorate::ledger

int main(int argc, char** argv) {
  const std::string what = argc == 3 ? argv[2] : "";
  if (what != "account" && what != "block") {
    std::cerr << "usage: damage_ledger HOME account|block\n";
    return 2;
  }
  const auto done = quorate::ledger::damage(argv[1], what == "block");
  if (done) return 0;
  std::cerr << "damage_ledger: " << done.error().detail << "\n";
  return 1;
}
