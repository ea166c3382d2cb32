// A vote log file after a crash. Fuzzed bytes can hardly hold a SHA-256, so the input edits a good
// file: the first byte chooses how many records it has, then come edits of position and value, and
// what is left over is appended as a torn end.
#include <cstddef>
#include <cstdint>

#include "crypto/base/assert.hpp"
#include "node/runtime/vote_log_format.hpp"

using namespace quorate;

namespace {

Bytes good_file(std::size_t records) {
  const node::VoteLogHeader header;
  Bytes file = node::encode_vote_log_header(header);
  Digest running;
  for (std::uint64_t i = 1; i <= records; ++i) {
    const auto kind = i == 1 ? node::VoteRecordKind::snapshot : node::VoteRecordKind::vote;
    node::append_vote_record(file, header.salt, kind, i, i / 2, Bytes(i * 5, 7), running);
  }
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)node::scan_vote_log(ByteView(data, size));
  if (size < 2) return 0;
  const std::size_t records = data[0] % 8U;
  const std::size_t edits = data[1] % 4U;
  Bytes file = good_file(records);
  std::size_t at = 2;
  for (std::size_t i = 0; i < edits && at + 3 <= size; ++i, at += 3) {
    const std::size_t where = (std::size_t{data[at]} | std::size_t{data[at + 1]} << 8U);
    file[where % file.size()] ^= data[at + 2];
  }
  file.insert(file.end(), data + at, data + size);
  const auto scan = node::scan_vote_log(file);
  if (!scan) return 0;
  QUORATE_ASSERT(scan->records.size() <= records && scan->bytes_valid <= file.size());
  QUORATE_ASSERT(scan->records.empty() || scan->last_index == scan->records.size());
  // Whatever survives is what was written.
  for (const auto& record : scan->records) {
    QUORATE_ASSERT(to_bytes(record.body) == Bytes(record.index * 5, 7));
  }
  // The valid part alone scans to the same, without damage.
  const auto again = node::scan_vote_log(ByteView(file).first(scan->bytes_valid));
  QUORATE_ASSERT(again && again->running == scan->running && !again->amnesia);
  return 0;
}
