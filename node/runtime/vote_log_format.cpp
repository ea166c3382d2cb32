#include "node/runtime/vote_log_format.hpp"

#include <algorithm>

#include "crypto/codec/reader.hpp"
#include "crypto/codec/writer.hpp"
#include "crypto/hash.hpp"

namespace quorate::node {

namespace {

constexpr std::string_view kFileMagic = "QRTVOTE1";
constexpr std::uint32_t kRecordMagic = 0x31525651;  // "QVR1"
constexpr std::size_t kRecordHeadSize = 4 + 4 + 8 + 8 + 1;
constexpr std::size_t kRecordTailSize = 2 * Digest::kSize;
constexpr std::size_t kSector = 512;

Digest record_check(const VoteLogSalt& salt, ByteView head, ByteView body) {
  return crypto::hash("quorate/vote-log-record/1", {salt, head, body});
}

Digest next_running(const Digest& running, const Digest& check) {
  return crypto::hash("quorate/vote-log-chain/1", {running, check});
}

struct Parsed {
  VoteRecordView view;
  std::uint64_t synced = 0;
  Digest check;
  Digest running;
  std::size_t size = 0;
};

// The record at the front of `bytes`, if it is whole and its own check holds.
std::optional<Parsed> parse_record(const VoteLogSalt& salt, ByteView bytes) {
  if (bytes.size() < kRecordHeadSize + kRecordTailSize) return std::nullopt;
  crypto::Reader in(bytes);
  if (in.u32() != kRecordMagic) return std::nullopt;
  const std::size_t length = in.u32();
  Parsed out;
  out.view.index = in.u64();
  out.synced = in.u64();
  const std::uint8_t kind = in.u8();
  if (kind < 1 || kind > 4 || length > in.left() - kRecordTailSize) return std::nullopt;
  if (out.synced >= out.view.index) return std::nullopt;  // it was not synced when it was written
  out.view.kind = static_cast<VoteRecordKind>(kind);
  out.view.body = in.raw(length);
  out.check = in.fixed<Digest>();
  out.running = in.fixed<Digest>();
  out.size = kRecordHeadSize + length + kRecordTailSize;
  if (!in.ok() || out.check != record_check(salt, bytes.first(kRecordHeadSize), out.view.body)) {
    return std::nullopt;
  }
  return out;
}

// Looks behind the damage for a whole record that was written after `damaged` had been synced.
std::optional<std::string> find_amnesia(const VoteLogSalt& salt, ByteView rest,
                                        std::uint64_t damaged) {
  static constexpr std::array<std::uint8_t, 4> kMagic = {'Q', 'V', 'R', '1'};
  while (true) {
    const auto found = std::search(rest.begin(), rest.end(), kMagic.begin(), kMagic.end());
    if (found == rest.end()) return std::nullopt;
    rest = rest.subspan(static_cast<std::size_t>(found - rest.begin()));
    const auto record = parse_record(salt, rest);
    if (record && record->synced >= damaged) {
      return "record " + std::to_string(damaged) + " is damaged, but record " +
             std::to_string(record->view.index) + " behind it says that it was synced";
    }
    rest = rest.subspan(record ? record->size : 1);
  }
}

bool all_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

// Whether some sector's part of file[begin, end) was never written.
bool lacks_sector(ByteView file, std::size_t begin, std::size_t end) {
  for (std::size_t at = begin; at < end;) {
    const std::size_t next = std::min(end, (at / kSector + 1) * kSector);
    if (all_zero(file.subspan(at, next - at))) return true;
    at = next;
  }
  return false;
}

// Whether an interrupted write can have left what stands at `begin`, where record `index` belongs.
// A mark may be damaged in any way: it was not synced, and holds nothing.
bool may_be_torn(ByteView file, std::size_t begin, std::uint64_t index) {
  const ByteView rest = file.subspan(begin);
  if (rest.size() < kRecordHeadSize) return true;
  if (lacks_sector(file, begin, begin + kRecordHeadSize)) return true;
  crypto::Reader in(rest);
  const bool magic = in.u32() == kRecordMagic;
  const std::size_t length = in.u32();
  if (!magic || in.u64() != index || length > kVoteRecordBytesMax) return false;
  in.u64();
  const bool mark = static_cast<VoteRecordKind>(in.u8()) == VoteRecordKind::mark && length == 0;
  const std::size_t size = kRecordHeadSize + length + kRecordTailSize;
  return mark || size > rest.size() || lacks_sector(file, begin, begin + size);
}

// Why the bytes behind the last whole record are not merely a torn end, or nothing.
std::optional<std::string> judge_end(const VoteLogScan& scan, ByteView file,
                                     std::uint64_t expected) {
  if (auto later = find_amnesia(scan.header.salt, file.subspan(scan.bytes_valid), expected)) {
    return later;
  }
  if (may_be_torn(file, scan.bytes_valid, expected)) return std::nullopt;
  return "record " + std::to_string(expected) +
         " is damaged, and not as an interrupted write leaves it: no sector of it is missing";
}

}  // namespace

Bytes encode_vote_log_header(const VoteLogHeader& header) {
  crypto::Writer out;
  out.raw(as_bytes(kFileMagic));
  out.u32(kVoteLogVersion);
  out.u64(header.generation);
  out.raw(header.identity.chain_id);
  out.raw(header.identity.validator_key);
  out.raw(header.identity.db_uuid);
  out.raw(header.salt);
  out.u64(header.first_index);
  out.raw(header.running);
  out.raw(crypto::hash("quorate/vote-log-header/1", {out.view()}));
  return std::move(out).take();
}

std::size_t vote_log_header_size() {
  return kFileMagic.size() + 4 + 8 + 32 + 32 + DbUuid::kSize + VoteLogSalt::kSize + 8 +
         2 * Digest::kSize;
}

Result<VoteLogHeader> decode_vote_log_header(ByteView file) {
  const std::size_t size = vote_log_header_size();
  if (file.size() < size) return fail(Errc::corrupt, "the file ends within its header");
  crypto::Reader in(file.first(size));
  const ByteView magic = in.raw(kFileMagic.size());
  if (!std::equal(magic.begin(), magic.end(), kFileMagic.begin(), kFileMagic.end())) {
    return fail(Errc::corrupt, "the file does not begin as a vote log");
  }
  const std::uint32_t version = in.u32();
  VoteLogHeader out;
  out.generation = in.u64();
  out.identity.chain_id = in.fixed<Digest>();
  out.identity.validator_key = in.fixed<PublicKey>();
  out.identity.db_uuid = in.fixed<DbUuid>();
  out.salt = in.fixed<VoteLogSalt>();
  out.first_index = in.u64();
  out.running = in.fixed<Digest>();
  const auto check = in.fixed<Digest>();
  QUORATE_CHECK(in.finish());
  if (check != crypto::hash("quorate/vote-log-header/1", {file.first(size - Digest::kSize)})) {
    return fail(Errc::corrupt, "the header of the file is damaged");
  }
  if (version != kVoteLogVersion) {
    return fail(Errc::conflict, "the vote log has version " + std::to_string(version) +
                                    ", this program reads and writes version " +
                                    std::to_string(kVoteLogVersion) +
                                    "; run the release that wrote it. A vote log cannot be made "
                                    "anew: a key that forgot its votes must not vote again");
  }
  return out;
}

void append_vote_record(Bytes& out, const VoteLogSalt& salt, VoteRecordKind kind,
                        std::uint64_t index, std::uint64_t synced, ByteView body, Digest& running) {
  QUORATE_ASSERT(body.size() <= kVoteRecordBytesMax);
  crypto::Writer head;
  head.u32(kRecordMagic);
  head.u32(static_cast<std::uint32_t>(body.size()));
  head.u64(index);
  head.u64(synced);
  head.u8(static_cast<std::uint8_t>(kind));
  const Digest check = record_check(salt, head.view(), body);
  running = next_running(running, check);
  const auto add = [&out](ByteView part) { out.insert(out.end(), part.begin(), part.end()); };
  add(head.view());
  add(body);
  add(check);
  add(running);
}

Result<VoteLogScan> scan_vote_log(ByteView file) {
  VoteLogScan out;
  QUORATE_TRY(out.header, decode_vote_log_header(file));
  out.bytes_valid = vote_log_header_size();
  out.running = out.header.running;
  std::uint64_t expected = out.header.first_index;
  while (out.bytes_valid < file.size()) {
    const ByteView rest = file.subspan(out.bytes_valid);
    const auto record = parse_record(out.header.salt, rest);
    const bool follows = record && record->view.index == expected &&
                         record->running == next_running(out.running, record->check);
    if (!follows) {
      if (all_zero(rest)) break;  // preallocated
      out.amnesia = judge_end(out, file, expected);
      out.torn_bytes = rest.size();
      while (rest[out.torn_bytes - 1] == 0) --out.torn_bytes;
      break;
    }
    out.records.push_back(record->view);
    out.running = record->running;
    out.bytes_valid += record->size;
    out.last_index = expected++;
  }
  return out;
}

}  // namespace quorate::node
