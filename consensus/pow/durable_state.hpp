// What the log holds: every validated block that the ledger does not hold, so that a restart at any
// point finds the same branches again. A record is one of
//   snapshot  the chain it is for, and blocks; the first record of every log, replaces all before
//   block     one more block
// and starts with version u8 = 1 and a type byte. Pure; any thread.
#pragma once

#include <vector>

#include "consensus/pow/messages.hpp"

namespace quorate::consensus::pow {

Bytes encode_block_record(const FullBlock& block);
Bytes encode_snapshot(const Digest& chain_id, const std::vector<FullBlock>& blocks);

// The blocks of all records, oldest first, each once. Errors: corrupt when a record does not
// decode, conflict when the log belongs to another chain.
Result<std::vector<FullBlock>> replay(const std::vector<Bytes>& records, const Digest& chain_id,
                                      std::uint32_t payload_bytes_max);

}  // namespace quorate::consensus::pow
