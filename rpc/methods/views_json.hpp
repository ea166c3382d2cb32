// JSON forms of the backend's views, as methods and notifications give them. Pure functions.
#pragma once

#include "rpc/backend.hpp"
#include "rpc/json/fields.hpp"

namespace quorate::rpc {

std::string_view to_string(TransactionStatus status);

Json to_json(const ChainStatus& status);
Json to_json(const ReplicaView& view);
Json to_json(const EvidenceView& evidence);
Json to_json(const PeerView& peer);
Json to_json(const NodeInfo& info);
Json to_json(const MempoolView& mempool);
Json to_json(const AccountView& account);
Json to_json(const TransactionView& view);
Json to_json(const TransactionProof& proof);

// Without transactions: {height, hash, certified, header}.
Json block_summary(const BlockView& block);
// The transaction at `index` of a block, with its receipt and its signed encoding.
Json block_transaction(const BlockView& block, std::size_t index);

}  // namespace quorate::rpc
