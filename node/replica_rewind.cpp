// An order that is tentative: what stands above the ledger's head may change until it is committed,
// and what was committed may be withdrawn.
#include <algorithm>

#include "crypto/base/assert.hpp"
#include "crypto/base/mutant.hpp"
#include "node/replica_impl.hpp"

namespace quorate::node {

void Replica::Impl::request_on_branch(const consensus::RequestProposal& request) {
  std::map<Digest, const OrderedPayload*> ahead;
  for (const Digest& id : request.ahead) {
    const auto known = payloads.find(id);
    if (known != payloads.end()) {
      ahead.emplace(id, &known->second);
    } else {
      ++blind_proposals;
    }
  }
  builder.request_on_branch(request, ahead, *state, now);
}

bool Replica::Impl::take_own(const consensus::Validate& validate) {
  if (!tentative_order()) return false;
  const auto* own = builder.own_proposal(validate.height);
  if (own == nullptr || !is_payload_of(validate.payload, *own)) return false;
  remember_payload(validate.id, validate.height, *own);
  return true;
}

void Replica::Impl::note_committed(const consensus::Commit& commit,
                                   const std::vector<ledger::TransactionPtr>& transactions) {
  if (!tentative_order()) return;
  remember_payload(commit.id, commit.height, transactions);
  tentative.put(commit.height, commit.id, commit.commit_certificate, &transactions);
}

void Replica::Impl::perform(consensus::TentativeOrder& order) {
  Height height = committed_to;
  tentative.drop_above(height.saturating_add(order.ids.size()));
  for (std::size_t i = 0; i < order.ids.size(); ++i) {
    height = height.next();
    const auto known = payloads.find(order.ids[i]);
    Bytes certificate = i < order.certificates.size() ? std::move(order.certificates[i]) : Bytes{};
    tentative.put(height, order.ids[i], std::move(certificate),
                  known == payloads.end() ? nullptr : &known->second.transactions);
  }
}

void Replica::Impl::perform(consensus::Rewind& rewind) {
  // Commits above it that wait for their payload are cancelled; they stand at the end.
  while (!committed.empty()) {
    const auto* commit = std::get_if<consensus::Commit>(&committed.back());
    if (commit == nullptr || commit->height <= rewind.height) break;
    committed.pop_back();
  }
  committed_to = rewind.height;
  builder.rewound(rewind.height);
  tentative.drop_above(rewind.height);
  rewinding.push_back(rewind.height);
  committed.emplace_back(rewind);
  execute_committed();
}

bool Replica::Impl::being_withdrawn(Height height) const {
  return std::any_of(rewinding.begin(), rewinding.end(),
                     [height](Height to) { return height > to; });
}

void Replica::Impl::on(const LedgerRewound& answer) {
  const ledger::Rewound& rewound = answer.rewound;
  QUORATE_ASSERT(!rewinding.empty() && rewinding.front() == rewound.head.height);
  rewinding.pop_front();
  head = rewound.head;
  state = rewound.state;
  catch_up.rewound(head.height, now);
  served_seals.clear();
  const std::uint64_t dropped =
      QUORATE_MUTANT(withdrawn_not_returned) ? 0 : return_to_mempool(rewound);
  rewind_dropped += dropped;
  if (rewound.taken_from > head.height && !QUORATE_MUTANT(withdrawn_not_reported)) {
    Notice notice{};
    notice.kind = Notice::Kind::blocks_withdrawn;
    notice.height = head.height;
    notice.blocks = rewound.taken_from.saturating_sub(head.height.value()).value();
    notice.transactions = rewound.transactions;
    notice.dropped = dropped;
    notice.withdrawn =
        std::make_shared<const std::vector<ledger::WithdrawnBlock>>(rewound.withdrawn);
    notify(std::move(notice));
  }
  feed(consensus::Rewound{head.height});
}

// The nodes that were on the other branch all along may never have heard of these transactions, so
// this node answers for them as for those of its own clients.
std::uint64_t Replica::Impl::return_to_mempool(const ledger::Rewound& rewound) {
  std::vector<ledger::TransactionPtr> returned;
  for (const ledger::WithdrawnBlock& block : rewound.withdrawn) {
    returned.insert(returned.end(), block.transactions.begin(), block.transactions.end());
  }
  // What the ledger does not even tell of would not have found room either.
  const std::uint64_t untold = rewound.transactions - returned.size();
  if (returned.empty()) return untold;
  const std::size_t dropped = mempool.rewound(returned, *state, now);
  for (const ledger::TransactionPtr& transaction : returned) {
    if (mempool.find(transaction->id) != nullptr) relay.add(transaction, now);
  }
  return untold + dropped;
}

}  // namespace quorate::node
