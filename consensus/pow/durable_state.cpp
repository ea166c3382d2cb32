#include "consensus/pow/durable_state.hpp"

#include <set>

namespace quorate::consensus::pow {

namespace {

using crypto::Reader;
using crypto::Writer;

constexpr std::uint8_t kVersion = 1;
enum class RecordType : std::uint8_t { snapshot = 1, block = 2 };
// More than any snapshot holds; a count above it is damage.
constexpr std::uint32_t kBlocksMax = 1U << 20U;

Writer begin(RecordType type) {
  Writer out;
  out.u8(kVersion);
  out.u8(static_cast<std::uint8_t>(type));
  return out;
}

struct Replay {
  const Digest& chain_id;
  std::uint32_t payload_bytes_max;
  std::vector<FullBlock> blocks = {};
  std::set<Digest> known = {};

  void add(FullBlock block) {
    if (known.insert(block.header.id).second) blocks.push_back(std::move(block));
  }
  Result<void> one(ByteView record, bool first);
};

Result<void> Replay::one(ByteView record, bool first) {
  Reader in(record);
  const std::uint8_t version = in.u8();
  if (in.ok() && version != kVersion) {
    in.reject("it has record version " + std::to_string(version) + ", this program reads version " +
              std::to_string(kVersion) + "; run the program that wrote it");
  }
  const auto type = static_cast<RecordType>(in.u8());
  if (in.ok() && (type == RecordType::snapshot) != first) {
    in.reject("a log starts with a snapshot and holds no other");
  }
  if (type == RecordType::snapshot) {
    const auto chain = in.fixed<Digest>();
    if (in.ok() && chain != chain_id) {
      return fail(Errc::conflict, "it belongs to another chain; use the log of this one");
    }
    const std::uint32_t count = in.count(0, kBlocksMax, crypto::work::kHeaderSize + 4);
    for (std::uint32_t i = 0; i < count && in.ok(); ++i) add(decode_block(in, payload_bytes_max));
  } else if (type == RecordType::block) {
    add(decode_block(in, payload_bytes_max));
  } else {
    in.reject("unknown record type");
  }
  return in.finish();
}

}  // namespace

Bytes encode_block_record(const FullBlock& block) {
  Writer out = begin(RecordType::block);
  encode(out, block);
  return std::move(out).take();
}

Bytes encode_snapshot(const Digest& chain_id, const std::vector<FullBlock>& blocks) {
  Writer out = begin(RecordType::snapshot);
  out.raw(chain_id);
  out.u32(static_cast<std::uint32_t>(blocks.size()));
  for (const FullBlock& block : blocks) encode(out, block);
  return std::move(out).take();
}

Result<std::vector<FullBlock>> replay(const std::vector<Bytes>& records, const Digest& chain_id,
                                      std::uint32_t payload_bytes_max) {
  Replay state{chain_id, payload_bytes_max};
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Result<void> done = state.one(records[i], i == 0);
    if (!done) {
      const Errc code = done.error().code == Errc::conflict ? Errc::conflict : Errc::corrupt;
      return fail(code, "record " + std::to_string(i) +
                            " of the log of blocks cannot be used: " + done.error().detail);
    }
  }
  return std::move(state.blocks);
}

}  // namespace quorate::consensus::pow
