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
  consensus::VerifiedMessagePtr committed;              // from MessageVerifier::verify_committed
  std::optional<ledger::BlockCertificate> certificate;  // verified; absent if the peer had none
};
struct BlocksResponse {
  std::vector<CommittedBlock> blocks;
};  // empty: "I have none of these"

using PeerMessage =
    std::variant<ConsensusMessage, RelayedTransactions, BlocksRequest, BlocksResponse>;

// What verification needs; all thread-safe, all outlive the calls.
struct VerifyContext {
  Digest chain_id;
  crypto::Membership membership;
  const consensus::MessageVerifier* messages;
  const crypto::Verifier* signatures;
};

// Decodes and verifies the body of one frame. Errors: bad_encoding, bad_signature, limit_exceeded.
Result<PeerMessage> verify_peer_message(const VerifyContext& context, ReplicaId from,
                                        TrafficClass traffic, ByteView body);

// Decodes a payload and checks every transaction (encoding, signature). An error means that no
// correct replica votes for it.
Result<std::vector<ledger::TransactionPtr>> verify_payload(const VerifyContext& context,
                                                           ByteView payload);

Bytes encode_transactions(const std::vector<ledger::TransactionPtr>& transactions);
Bytes encode_blocks_request(Height from);
// One served block, as read from the store.
struct ServedBlock {
  Bytes payload;
  Bytes commit_certificate;
  std::optional<ledger::BlockCertificate> certificate;
};
Bytes encode_blocks_response(const std::vector<ServedBlock>& blocks);

}  // namespace quorate::node
