#include "node/replica_view.hpp"

#include "node/runtime/os_clock.hpp"

namespace quorate::node {
namespace {

std::uint64_t milliseconds(Duration duration) {
  const auto count = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return count < 0 ? 0 : static_cast<std::uint64_t>(count);
}

const std::string& name_of(ReplicaId replica, const ledger::Genesis& genesis) {
  return genesis.validators.at(replica.value()).name;
}

void describe_view_change(rpc::ReplicaView& out, const consensus::Status& consensus,
                          const ledger::Genesis& genesis) {
  const Instant now = monotonic_now();
  for (const auto& each : consensus.suspicions) {
    out.suspects.push_back({each.replica, name_of(each.replica, genesis), consensus.view,
                            consensus::to_string(each.reason), milliseconds(each.until - now)});
  }
  for (const auto& each : consensus.view_changes) {
    out.view_changes.push_back({each.replica, name_of(each.replica, genesis), each.view});
  }
  for (const auto& each : consensus.timers) {
    out.timers.push_back({each.name, milliseconds(each.due - now)});
  }
  out.progress_not_timed = consensus.untimed;
  out.view_timeout_ms = milliseconds(consensus.view_timeout);
  out.timeout_level = consensus.timeout_level;
}

}  // namespace

rpc::ReplicaView view_of(const NodeStatus& status, const ledger::Genesis& genesis) {
  const consensus::Status& consensus = status.replica.consensus;
  const auto membership = ledger::membership(genesis);
  rpc::ReplicaView out;
  out.epoch = consensus.epoch;
  out.view = consensus.view;
  out.promise_view = consensus.promise_view;
  out.changing_view = consensus.changing;
  out.primary = consensus.primary;
  out.primary_name = name_of(consensus.primary, genesis);
  out.validators = membership.size();
  out.faults_tolerated = membership.faults();
  out.quorum = membership.quorum();
  out.last_executed = consensus.last_executed;
  out.last_committed = consensus.last_committed;
  out.sealed_to = consensus.sealed_to;
  out.low_watermark = consensus.low_watermark;
  out.high_watermark = consensus.high_watermark;
  out.known_height = status.replica.target;
  describe_view_change(out, consensus, genesis);
  out.pending_transactions = status.mempool.ready;
  out.starting = consensus.starting;
  out.halted = status.replica.halted;
  out.observer = consensus.observer;
  out.observer_reason = consensus.observer_reason;
  out.executing_again_to = consensus.executing_again_to;
  return out;
}

std::vector<rpc::EvidenceView> views_of(const std::vector<EvidenceStore::Entry>& entries,
                                        const ledger::Genesis& genesis) {
  std::vector<rpc::EvidenceView> out;
  for (const EvidenceStore::Entry& entry : entries) {
    const consensus::ProvedOffence& offence = entry.offence;
    rpc::EvidenceView view;
    view.replica = offence.culprit;
    view.name = name_of(offence.culprit, genesis);
    view.validator_key = genesis.validators.at(offence.culprit.value()).validator_key;
    view.type = offence.contents[0].type;
    view.view = offence.view;
    view.height = offence.height;
    view.found_at = entry.found_at;
    for (const auto& each : offence.contents) {
      view.contents.push_back({each.content, each.signed_digest, each.signature});
    }
    view.proof = entry.proof;
    view.stored = entry.stored;
    out.push_back(std::move(view));
  }
  return out;
}

}  // namespace quorate::node
