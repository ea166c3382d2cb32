// JSON forms of the backend's views, as methods and notifications give them. Pure functions.
#pragma once

#include "rpc/backend.hpp"
#include "rpc/json/fields.hpp"

namespace quorate::rpc {

std::string_view to_string(TransactionStatus status);

Json to_json(const EngineView& engine);
Json to_json(const BranchView& branch);
// `branch` is there only where the engine orders by work.
Json to_json(const ChainStatus& status);
// Where the engine orders by work, `branch` stands in place of what is about views and seals.
Json to_json(const ReplicaView& view);
Json to_json(const EvidenceView& evidence);
Json to_json(const PeerView& peer);
Json to_json(const NodeInfo& info);
Json to_json(const MempoolView& mempool);
Json to_json(const AccountView& account);
// A transaction that stands in a block of a branch also has block_id, depth, commit_depth and
// reversal; one that will never be executed has decided_at and those of that block; one that was
// withdrawn has withdrawn_from. None of it occurs where the engine seals.
Json to_json(const TransactionView& view, const EngineView& engine, double attacker_share);
// How likely it is that somebody with this share of the hash rate reverses a block at this depth.
Json reversal_json(double attacker_share, std::uint64_t depth);
Json to_json(const TransactionProof& proof);
Json to_json(const AccountProof& proof);

// Without transactions: {height, hash, certified, header}.
Json block_summary(const BlockView& block);
// The transaction at `index` of a block, with its receipt and its signed encoding.
Json block_transaction(const BlockView& block, std::size_t index);

}  // namespace quorate::rpc
