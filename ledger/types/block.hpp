// The block header, and the payload that consensus orders. A header is a pure function of the
// parent header, the payload with its context, and the resulting state: no view and no signature in
// it.
#pragma once

#include <cstdint>
#include <vector>

#include "crypto/base/bytes.hpp"
#include "crypto/base/result.hpp"
#include "crypto/base/strong_int.hpp"
#include "ledger/types/transaction.hpp"

namespace quorate::ledger {

struct Header {
  std::uint8_t version = 1;
  Digest chain_id;
  Epoch epoch;
  Height height;
  Digest parent_hash;  // zero at genesis
  WallMs time;         // effective: max(proposed, parent + 1); genesis_time_ms at genesis
  PublicKey proposer;  // validator key; zero for a null block and at genesis
  Digest payload_id;   // the digest consensus agreed on
  std::uint32_t transaction_count = 0;
  Digest transactions_root;
  Digest receipts_root;
  Digest state_root;
  Digest config_hash;
  Digest next_config_hash;
  bool operator==(const Header&) const = default;
};

Bytes encode(const Header& header);
Result<Header> decode_header(ByteView bytes);
// H("quorate/block/1", encoding).
Digest block_hash(const Header& header);
// What a CHECKPOINT signs for this block, everything that is replicated:
// H("quorate/checkpoint/1", state_root || block hash || config_hash || next_config_hash).
Digest checkpoint_digest(const Header& header);

// A payload: u32 count, each a u32 length and a signed transaction. Empty bytes = a null block; a
// proposed block without transactions has the four bytes of a zero count.
Bytes encode_payload(const std::vector<TransactionPtr>& transactions);
// Splits without decoding the transactions. Views into `payload`. Errors: bad_encoding.
Result<std::vector<ByteView>> split_payload(ByteView payload);
// The transactions of a payload that was ordered: whoever ordered it checked their signatures, so
// they are decoded and not verified again. Empty for a null payload. Error bad_encoding.
Result<std::vector<TransactionPtr>> decode_committed_payload(const Digest& chain_id,
                                                             ByteView payload);

}  // namespace quorate::ledger
