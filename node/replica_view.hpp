// What consensus_getState and consensus_getEvidence show, from the node's own words. Pure, but for
// the clock against which timers are shown; any thread.
#pragma once

#include "node/evidence_store.hpp"
#include "node/status_cache.hpp"
#include "rpc/backend.hpp"

namespace quorate::node {

// Everything but the node's name and place.
rpc::ReplicaView view_of(const NodeStatus& status, const ledger::Genesis& genesis);

std::vector<rpc::EvidenceView> views_of(const std::vector<EvidenceStore::Entry>& entries,
                                        const ledger::Genesis& genesis);

}  // namespace quorate::node
