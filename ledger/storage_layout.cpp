#include "ledger/storage_layout.hpp"

#include "ledger/types/account.hpp"

namespace quorate::ledger::layout {
namespace {

// More replicas than any genesis allows.
constexpr std::uint32_t kSealsMax = 1024;
constexpr std::size_t kReceiptBytes = 35;

Bytes height_key(char kind, Height height) {
  Bytes key;
  key.reserve(9);
  for (unsigned shift = 64; shift > 0; shift -= 8) {
    key.push_back(static_cast<std::uint8_t>(height.value() >> (shift - 8)));
  }
  key.push_back(static_cast<std::uint8_t>(kind));
  return key;
}

Bytes digest_key(char kind, const Digest& digest) {
  Bytes key;
  key.reserve(1 + Digest::kSize);
  key.push_back(static_cast<std::uint8_t>(kind));
  key.insert(key.end(), digest.bytes.begin(), digest.bytes.end());
  return key;
}

tl::unexpected<Error> corrupt(std::string_view what, const std::string& detail) {
  return fail(Errc::corrupt, "the database holds a damaged " + std::string(what) + ": " + detail);
}

std::string at(std::string_view what, Height height) {
  return std::string(what) + " of height " + std::to_string(height.value());
}

// Runs `decode` over all of `value`.
template <class Decode>
auto decode_whole(ByteView value, std::string_view what, const Decode& decode)
    -> Result<decltype(decode(std::declval<crypto::Reader&>()))> {
  crypto::Reader in(value);
  auto out = decode(in);
  if (auto done = in.finish(); !done) return corrupt(what, done.error().detail);
  return out;
}

}  // namespace

Bytes meta_key(std::string_view name) { return to_bytes(as_bytes(name)); }
Bytes header_key(Height height) { return height_key('h', height); }
Bytes payload_key(Height height) { return height_key('p', height); }
Bytes commit_certificate_key(Height height) { return height_key('c', height); }
Bytes receipts_key(Height height) { return height_key('r', height); }
Bytes seals_key(Height height) { return height_key('s', height); }
Bytes transaction_key(const Digest& id) { return digest_key('t', id); }
Bytes block_hash_key(const Digest& hash) { return digest_key('b', hash); }
Bytes payload_id_key(const Digest& id) { return digest_key('i', id); }

Bytes encode_version(std::uint32_t version) {
  crypto::Writer out;
  out.u32(version);
  return std::move(out).take();
}

Result<std::uint32_t> decode_version(ByteView value) {
  return decode_whole(value, "storage version", [](crypto::Reader& in) { return in.u32(); });
}

Bytes encode_head(const Head& head) {
  crypto::Writer out;
  out.integer_of(head.height);
  out.raw(head.block_hash);
  out.raw(head.payload_id);
  return std::move(out).take();
}

Result<Head> decode_head(ByteView value) {
  return decode_whole(value, "head marker", [](crypto::Reader& in) {
    Head head;
    head.height = in.integer_of<Height>();
    head.block_hash = in.fixed<Digest>();
    head.payload_id = in.fixed<Digest>();
    return head;
  });
}

Bytes encode_height(Height height) {
  crypto::Writer out;
  out.integer_of(height);
  return std::move(out).take();
}

Result<Height> decode_height(ByteView value, std::string_view what) {
  return decode_whole(value, what, [](crypto::Reader& in) { return in.integer_of<Height>(); });
}

Bytes encode_position(const Position& position) {
  crypto::Writer out;
  out.integer_of(position.height);
  out.u32(position.index);
  return std::move(out).take();
}

Result<Position> decode_position(ByteView value) {
  return decode_whole(value, "transaction index entry", [](crypto::Reader& in) {
    Position position;
    position.height = in.integer_of<Height>();
    position.index = in.u32();
    return position;
  });
}

Bytes encode_receipts(const std::vector<Receipt>& receipts) {
  crypto::Writer out;
  out.reserve(4 + receipts.size() * kReceiptBytes);
  out.u32(static_cast<std::uint32_t>(receipts.size()));
  for (const Receipt& receipt : receipts) encode(out, receipt);
  return std::move(out).take();
}

Result<std::vector<Receipt>> decode_receipts(ByteView value, Height height) {
  return decode_whole(value, at("receipt list", height), [](crypto::Reader& in) {
    std::vector<Receipt> receipts(in.count(0, 0xFFFFFFFFU, kReceiptBytes));
    for (Receipt& receipt : receipts) receipt = decode_receipt(in);
    return receipts;
  });
}

Bytes encode_seals(const std::vector<crypto::ReplicaSignature>& seals) {
  crypto::Writer out;
  crypto::encode(out, seals);
  return std::move(out).take();
}

Result<std::vector<crypto::ReplicaSignature>> decode_seals(ByteView value, Height height) {
  return decode_whole(value, at("seal list", height),
                      [](crypto::Reader& in) { return crypto::decode_signatures(in, kSealsMax); });
}

Bytes encode_state(const StateLeaf& leaf) {
  crypto::Writer out;
  out.reserve(37);
  out.raw(leaf.address);
  encode(out, leaf.account);
  return std::move(out).take();
}

Result<StateEntry> decode_state(ByteView key, ByteView value) {
  StateEntry entry;
  auto fixed = Digest::from(key);
  if (!fixed) return corrupt("account", "its key has " + std::to_string(key.size()) + " bytes");
  entry.key = *fixed;
  QUORATE_TRY(entry.leaf, decode_whole(value, "account", [](crypto::Reader& in) {
                StateLeaf leaf;
                leaf.address = decode_address(in);
                leaf.account = decode_account(in);
                return leaf;
              }));
  return entry;
}

Result<Header> decode_stored_header(ByteView value, Height height) {
  auto header = decode_header(value);
  if (!header) return corrupt(at("header", height), header.error().detail);
  if (header->height != height) {
    return corrupt(at("header", height),
                   "it says height " + std::to_string(header->height.value()));
  }
  return header;
}

Result<Bytes> read(const KvStore& store, Family family, ByteView key, std::string_view what) {
  auto value = store.get(family, key);
  if (!value && value.error().code == Errc::not_found) {
    return fail(Errc::not_found, "there is no " + std::string(what) + " here");
  }
  return value;
}

Result<void> check_identity(const KvStore& store, const Digest& chain_id) {
  QUORATE_TRY(const Bytes version_bytes,
              read(store, Family::meta, meta_key(kVersionKey), "storage version"));
  QUORATE_TRY(const std::uint32_t version, decode_version(version_bytes));
  if (version != kStorageVersion) {
    return fail(Errc::conflict,
                "the database has storage version " + std::to_string(version) +
                    ", this program reads and writes version " + std::to_string(kStorageVersion) +
                    "; use the program that wrote it, or start with an empty data folder");
  }
  QUORATE_TRY(const Bytes stored_id, read(store, Family::meta, meta_key(kChainIdKey), "chain id"));
  if (stored_id != to_bytes(chain_id)) {
    return fail(Errc::conflict, "the database holds chain " + to_0x(stored_id) +
                                    ", the genesis is that of chain " + to_0x(chain_id) +
                                    "; use the right genesis or another data folder");
  }
  return {};
}

Result<StateTree> read_state(const KvStore& store) {
  std::vector<StateEntry> entries;
  std::optional<Error> error;
  QUORATE_CHECK(store.scan(Family::state, {}, {}, [&](ByteView key, ByteView value) {
    auto entry = decode_state(key, value);
    if (!entry) {
      error = entry.error();
      return false;
    }
    entries.push_back(*entry);
    return true;
  }));
  if (error) return tl::unexpected(*error);
  return StateTree().with(entries);
}

}  // namespace quorate::ledger::layout
