#include "rpc/methods/views_json.hpp"

#include "crypto/work/reversal.hpp"

namespace quorate::rpc {

namespace {

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

std::string_view to_string(TransactionStatus status) {
  switch (status) {
    case TransactionStatus::unknown: return "unknown";
    case TransactionStatus::pending: return "pending";
    case TransactionStatus::included: return "included";
    case TransactionStatus::final: return "final";
    case TransactionStatus::failed: return "failed";
    case TransactionStatus::expired: return "expired";
    case TransactionStatus::reversed: return "reversed";
  }
  return "unknown";
}

Json to_json(const EngineView& engine) {
  return {{"seals", engine.seals},
          {"connected_min", engine.connected_min},
          {"commit_depth", engine.commit_depth},
          {"mines", engine.mines},
          {"proved_by", consensus::to_string(engine.proved_by)}};
}

Json to_json(const BranchView& branch) {
  return {{"tip", integer_json(branch.tip.value())},
          {"tip_id", to_0x(branch.tip_id)},
          {"tip_time", rfc3339(branch.tip_time)},
          {"tip_time_ms", integer_json(branch.tip_time.value())},
          {"best_header", integer_json(branch.best_header.value())},
          {"bits", branch.bits},
          {"expected_hashes", integer_json(branch.expected_hashes)},
          {"blocks_mined", integer_json(branch.blocks_mined)},
          {"stale_blocks", integer_json(branch.stale_blocks)},
          {"branch_switches", integer_json(branch.branch_switches)},
          {"deepest_switch", integer_json(branch.deepest_switch)},
          {"rewinds", integer_json(branch.rewinds)},
          {"orphans", branch.orphans},
          {"mining", branch.mining},
          {"hashes", integer_json(branch.hashes)},
          {"hashes_per_second", integer_json(branch.hashes_per_second)}};
}

Json to_json(const ChainStatus& status) {
  Json out = {{"chain_name", status.chain_name},
              {"chain_id", to_0x(status.chain_id)},
              {"engine", status.engine},
              {"height", integer_json(status.height.value())},
              {"block_hash", to_0x(status.block_hash)},
              {"block_time", rfc3339(status.block_time)},
              {"block_time_ms", integer_json(status.block_time.value())},
              {"certified_height", integer_json(status.certified_height.value())},
              {"syncing", status.syncing},
              {"target_height", integer_json(status.target.value())},
              {"ready", status.ready},
              {"not_ready_reason", text_or_null(status.not_ready_reason)},
              {"peers",
               {{"validators", status.peers},
                {"connected", status.peers_connected},
                {"silent", status.peers_silent}}}};
  if (status.branch) out["branch"] = to_json(*status.branch);
  return out;
}

namespace {

Json suspects_json(const ReplicaView& view) {
  Json out = Json::array();
  for (const ReplicaView::Suspicion& each : view.suspects) {
    out.push_back({{"replica", each.replica.value()},
                   {"name", each.name},
                   {"view", integer_json(each.view.value())},
                   {"reason", each.reason},
                   {"expires_in_ms", integer_json(each.expires_in_ms)}});
  }
  return out;
}

Json view_changes_json(const ReplicaView& view) {
  Json out = Json::array();
  for (const ReplicaView::ViewChangeSeen& each : view.view_changes) {
    out.push_back({{"replica", each.replica.value()},
                   {"name", each.name},
                   {"view", integer_json(each.view.value())}});
  }
  return out;
}

Json timers_json(const ReplicaView& view) {
  Json out = Json::array();
  for (const ReplicaView::Timer& each : view.timers) {
    out.push_back({{"name", each.name}, {"remaining_ms", integer_json(each.remaining_ms)}});
  }
  return out;
}

}  // namespace

namespace {

// What a vote, a view or a seal gives its meaning.
Json voting_json(const ReplicaView& view) {
  return {{"view", integer_json(view.view.value())},
          {"promise_view", integer_json(view.promise_view.value())},
          {"changing_view", view.changing_view},
          {"primary", view.primary.value()},
          {"primary_name", view.primary_name},
          {"faults_tolerated", view.faults_tolerated},
          {"quorum", view.quorum},
          {"sealed_to", integer_json(view.sealed_to.value())},
          {"low_watermark", integer_json(view.low_watermark.value())},
          {"high_watermark", integer_json(view.high_watermark.value())},
          {"suspects", suspects_json(view)},
          {"view_changes", view_changes_json(view)},
          {"progress_not_timed", text_or_null(view.progress_not_timed)},
          {"view_timeout_ms", integer_json(view.view_timeout_ms)},
          {"timeout_level", view.timeout_level},
          {"executing_again_to", integer_json(view.executing_again_to.value())}};
}

}  // namespace

Json to_json(const ReplicaView& view) {
  const Height lag = view.known_height.saturating_sub(view.last_executed.value());
  Json out = {{"node_name", view.node_name},
              {"replica", nullptr},
              {"epoch", integer_json(view.epoch.value())},
              {"validators", view.validators},
              {"last_executed", integer_json(view.last_executed.value())},
              {"last_committed", integer_json(view.last_committed.value())},
              {"known_height", integer_json(view.known_height.value())},
              {"lag", integer_json(lag.value())},
              {"timers", timers_json(view)},
              {"pending_transactions", view.pending_transactions},
              {"starting", view.starting},
              {"halted", text_or_null(view.halted)},
              {"observer", view.observer},
              {"observer_reason", text_or_null(view.observer_reason)},
              {"replaced_ledger", text_or_null(view.replaced_ledger)}};
  if (view.replica) out["replica"] = view.replica->value();
  if (view.branch) {
    out["branch"] = to_json(*view.branch);
  } else {
    out.update(voting_json(view));
  }
  return out;
}

Json to_json(const EvidenceView& evidence) {
  Json contents = Json::array();
  for (const EvidenceView::SignedContent& each : evidence.contents) {
    contents.push_back({{"content", to_0x(each.content)},
                        {"signed_digest", to_0x(each.signed_digest)},
                        {"signature", to_0x(each.signature)}});
  }
  Json out = {{"replica", evidence.replica.value()},
              {"name", evidence.name},
              {"validator_key", to_0x(evidence.validator_key)},
              {"type", evidence.type},
              {"view", nullptr},
              {"height", nullptr},
              {"found_at", rfc3339(evidence.found_at)},
              {"found_at_ms", integer_json(evidence.found_at.value())},
              {"contents", std::move(contents)},
              {"proof", to_0x(evidence.proof)},
              {"stored", evidence.stored}};
  if (evidence.view) out["view"] = integer_json(evidence.view->value());
  if (evidence.height) out["height"] = integer_json(evidence.height->value());
  return out;
}

Json to_json(const PeerView& peer) {
  return {{"replica", peer.replica.value()},
          {"name", peer.name},
          {"address", peer.address},
          {"connected", peer.connected},
          {"direction", peer.outbound ? "outbound" : "inbound"},
          {"bytes_in", integer_json(peer.bytes_in)},
          {"bytes_out", integer_json(peer.bytes_out)},
          {"connects", integer_json(peer.connects)},
          {"last_error", text_or_null(peer.last_error)}};
}

Json to_json(const NodeInfo& info) {
  Json libraries = Json::object();
  for (const auto& [name, version] : info.libraries) libraries[name] = version;
  Json out = {{"name", info.name},
              {"version", info.version},
              {"git_commit", info.git_commit},
              {"engine", info.engine},
              {"chain_name", info.chain_name},
              {"chain_id", to_0x(info.chain_id)},
              {"node_key", to_0x(info.node_key)},
              {"validator_key", nullptr},
              {"wire_version", info.wire_version},
              {"storage_version", info.storage_version},
              {"uptime_ms", integer_json(info.uptime_ms)},
              {"libraries", std::move(libraries)}};
  if (info.validator_key) out["validator_key"] = to_0x(*info.validator_key);
  return out;
}

Json to_json(const MempoolView& mempool) {
  return {{"transactions", mempool.transactions},
          {"ready", mempool.ready},
          {"bytes", mempool.bytes},
          {"accounts", mempool.accounts},
          {"transactions_max", mempool.transactions_max},
          {"bytes_max", mempool.bytes_max}};
}

Json to_json(const AccountView& account) {
  return {{"address", crypto::to_text(account.address)},
          {"exists", account.exists},
          {"balance", amount_json(account.balance)},
          {"nonce", integer_json(account.nonce)},
          {"next_nonce", integer_json(account.next_nonce)},
          {"height", integer_json(account.height.value())}};
}

Json reversal_json(double attacker_share, std::uint64_t depth) {
  const auto z =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(depth, crypto::work::kReversalDepthMax));
  return {{"attacker_share", attacker_share},
          {"exact", crypto::work::reversal_probability(attacker_share, z)},
          {"nakamoto", crypto::work::nakamoto_reversal_probability(attacker_share, z)}};
}

Json to_json(const TransactionView& view, const EngineView& engine, double attacker_share) {
  Json out = {{"transaction_id", to_0x(view.id)},
              {"status", to_string(view.status)},
              {"height", nullptr},
              {"index", nullptr},
              {"receipt", nullptr},
              {"reason", nullptr},
              {"transaction", nullptr}};
  if (view.height) out["height"] = integer_json(view.height->value());
  if (view.index) out["index"] = *view.index;
  if (view.receipt) out["receipt"] = to_json(*view.receipt);
  if (view.reason) out["reason"] = ledger::to_string(*view.reason);
  if (view.transaction) out["transaction"] = to_json(view.transaction->transaction);
  if (view.withdrawn_from) out["withdrawn_from"] = integer_json(view.withdrawn_from->value());
  if (view.placement) out["height"] = integer_json(view.placement->height.value());
  if (view.decided) out["decided_at"] = integer_json(view.decided->height.value());
  if (const auto& block = view.placement ? view.placement : view.decided) {
    out["block_id"] = to_0x(block->block_id);
    out["depth"] = integer_json(block->depth);
    out["commit_depth"] = engine.commit_depth;
    // The formulas are those of work.
    if (engine.proved_by == consensus::ProvedBy::work) {
      out["reversal"] = reversal_json(attacker_share, block->depth);
    }
  }
  return out;
}

namespace {

Json headers_json(const std::vector<ledger::Header>& headers) {
  Json out = Json::array();
  for (const ledger::Header& header : headers) out.push_back(to_json(header));
  return out;
}

Json to_json(const CarriedByWork& work) {
  Json ids = Json::array();
  for (const Digest& id : work.block_ids) ids.push_back(to_0x(id));
  return {{"from_height", integer_json(work.first.value())}, {"block_ids", std::move(ids)}};
}

}  // namespace

Json to_json(const TransactionProof& proof) {
  Json out = {{"transaction_id", to_0x(proof.receipt.transaction_id)},
              {"receipt", to_json(proof.receipt)},
              {"path", to_json(proof.path)},
              {"headers", headers_json(proof.headers)}};
  if (proof.work) {
    out["work"] = to_json(*proof.work);
  } else {
    out["certificate"] = to_json(proof.certificate);
  }
  return out;
}

Json to_json(const AccountProof& proof) {
  Json out = {{"address", crypto::to_text(proof.address)}, {"proof", to_json(proof.proof)}};
  if (proof.work) {
    out["headers"] = headers_json(proof.headers);
    out["work"] = to_json(*proof.work);
  } else {
    out["certificate"] = to_json(proof.certificate);
  }
  return out;
}

Json block_summary(const BlockView& block) {
  return {{"height", integer_json(block.header.height.value())},
          {"hash", to_0x(block.hash)},
          {"certified", block.certified},
          {"header", to_json(block.header)}};
}

Json block_transaction(const BlockView& block, std::size_t index) {
  const ledger::SignedTransaction& transaction = block.transactions[index];
  Json out = {{"transaction_id", to_0x(block.transaction_ids[index])},
              {"index", index},
              {"receipt", nullptr},
              {"transaction", to_json(transaction.transaction)},
              {"tx", to_0x(ledger::encode(transaction))}};
  if (index < block.receipts.size()) out["receipt"] = to_json(block.receipts[index]);
  return out;
}

}  // namespace quorate::rpc
