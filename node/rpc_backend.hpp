// The node as the API sees it: rpc::Backend over the running node.
//
// Thread-safe. Reads come from the chain on the calling thread; what only the replica knows (view,
// readiness, mempool totals) is a copy at most a quarter of a second old; questions about single
// accounts and transactions go through the consensus thread and are answered later.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "node/evidence_store.hpp"
#include "node/runtime/runtime.hpp"
#include "rpc/backend.hpp"

namespace quorate::node {

struct NodeIdentity {
  std::string name, version, commit;
  std::vector<std::pair<std::string, std::string>> libraries;
  PublicKey node_key;
  std::optional<PublicKey> validator_key;
  MempoolLimits mempool;
  std::shared_ptr<EvidenceStore> evidence;       // null: proofs are only logged
  std::function<std::uint64_t()> storage_bytes;  // what the database takes on disk; any thread
  std::string replaced_ledger;  // why and where an earlier ledger was moved aside; or empty
  std::uint64_t ledger_replacements = 0;  // in this home so far
};

class RpcBackend final : public rpc::Backend {
 public:
  // Follows `runtime`, which must outlive the backend.
  RpcBackend(NodeRuntime& runtime, NodeIdentity identity);
  // Answers who still waits. No call may be under way or come later.
  ~RpcBackend() override;

  const ledger::Genesis& genesis() const override;
  const Digest& chain_id() const override;
  rpc::EngineView engine() const override;
  rpc::ChainStatus chain_status() const override;
  rpc::ReplicaView replica_view() const override;
  std::vector<rpc::EvidenceView> evidence() const override;
  std::vector<rpc::PeerView> peers() const override;
  rpc::NodeInfo node_info() const override;
  rpc::MempoolView mempool() const override;
  Result<rpc::BlockView> block(Height height) const override;
  Result<rpc::BlockView> block_by_hash(const Digest& hash) const override;
  Result<rpc::BlockView> block_summary(Height height) const override;
  Result<ledger::BlockCertificate> certificate(Height height) const override;
  Result<rpc::WorkHeaders> work_headers(Height from, std::uint32_t limit) const override;
  void account(const crypto::Address& address,
               std::function<void(rpc::AccountView)> done) const override;
  Result<rpc::AccountProof> account_proof(const crypto::Address& address,
                                          std::uint32_t carriers) const override;
  void transaction(const Digest& id, std::function<void(rpc::TransactionView)> done) const override;
  Result<rpc::TransactionProof> transaction_proof(const Digest& id) const override;
  void submit(std::vector<Bytes> encoded,
              std::function<void(std::vector<rpc::SubmitResult>)> done) override;
  void check(Bytes encoded, std::function<void(rpc::SubmitResult)> done) const override;
  void wait_final(const Digest& id, std::chrono::milliseconds timeout,
                  std::function<void(rpc::TransactionView)> done) override;
  void set_event_sink(rpc::EventSink* sink) override;
  std::string metrics_text() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::node
