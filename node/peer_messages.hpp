// What replicas say to each other, above the transport: consensus messages (opaque here), relayed
// transactions, and block catch-up. verify_peer_message is stateless, runs off the consensus thread
// and in the simulator alike, and is the only way bytes from a peer become something the replica
// sees.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "consensus/engine.hpp"
#include "ledger/types/block_certificate.hpp"
#include "ledger/types/transaction.hpp"
#include "node/ports.hpp"

namespace quorate::node {

struct ConsensusMessage {
  consensus::VerifiedMessagePtr message;
};
struct RelayedTransactions {
  std::vector<ledger::TransactionPtr> transactions;
};
// Blocks from `from` on, as many as the answerer likes to send in one frame.
struct BlocksRequest {
  Height from;
};
// Consecutive blocks, each proved by its commit certificate. The peer's claims are never trusted:
// only certificates count.
struct CommittedBlock {
  Height height;
  Digest id;                                            // of the ordered payload
  consensus::VerifiedMessagePtr committed;              // from MessageVerifier::verify_committed
  std::optional<ledger::BlockCertificate> certificate;  // verified; absent if the peer had none
  // The payload, decoded. Its signatures are not checked again: q replicas committed to it, so at
  // least one correct one checked them, and refusing the block now could only stop this replica.
  std::vector<ledger::TransactionPtr> transactions;
  std::size_t bytes = 0;  // what it occupied in the frame, for memory bounds
};
struct BlocksResponse {
  std::vector<CommittedBlock> blocks;
};  // empty: "I have none of these"

using PeerMessage =
    std::variant<ConsensusMessage, RelayedTransactions, BlocksRequest, BlocksResponse>;

// Verifies encoded transactions as ledger::verify_transaction does. The runtime's remembers them,
// so that one which arrives by several ways is decoded and checked once. Thread-safe.
class TransactionVerifier {
 public:
  virtual ~TransactionVerifier() = default;
  virtual Result<ledger::TransactionPtr> verify(ByteView encoded) const = 0;
};

// What verification needs; all thread-safe, all outlive the calls.
struct VerifyContext {
  Digest chain_id;
  crypto::Membership membership;
  const consensus::MessageVerifier* messages;
  const crypto::Verifier* signatures;
  const TransactionVerifier* transactions = nullptr;  // null: check each time it is met
};

// One encoded transaction, by way of context.transactions if there is one.
Result<ledger::TransactionPtr> verify_transaction(const VerifyContext& context, ByteView encoded);

// Decodes and verifies the body of one frame. Errors: bad_encoding, bad_signature, limit_exceeded.
Result<PeerMessage> verify_peer_message(const VerifyContext& context, ReplicaId from,
                                        TrafficClass traffic, ByteView body);

// Decodes a payload and checks every transaction (encoding, signature). An error means that no
// correct replica votes for it.
Result<std::vector<ledger::TransactionPtr>> verify_payload(const VerifyContext& context,
                                                           ByteView payload);

// For a payload that a commit certificate covers.
using ledger::decode_committed_payload;

// Bounds on one frame; a peer that exceeds them gets limit_exceeded or bad_encoding.
inline constexpr std::uint32_t kRelayedTransactionsMax = 4096;
inline constexpr std::uint32_t kBlocksPerResponseMax = 256;

// Bodies of the class `transactions`: u32 count, each a u32 length and a signed transaction.
Bytes encode_transactions(const std::vector<ledger::TransactionPtr>& transactions);
// Bodies of the class `sync`: u8 kind; 1 = request: from u64; 2 = response: u32 count, each
// payload, commit certificate and block certificate as u32 length and bytes (length 0 = no block
// certificate).
Bytes encode_blocks_request(Height from);
// One served block, as read from the store.
struct ServedBlock {
  Bytes payload;
  Bytes commit_certificate;
  std::optional<ledger::BlockCertificate> certificate;
};
Bytes encode_blocks_response(const std::vector<ServedBlock>& blocks);

}  // namespace quorate::node
