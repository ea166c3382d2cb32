#include <algorithm>

#include "crypto/base/mutant.hpp"
#include "node/replica_impl.hpp"

namespace quorate::node {
bool is_payload_of(ByteView payload, const std::vector<ledger::TransactionPtr>& transactions) {
  const auto parts = ledger::split_payload(payload);
  if (!parts || parts->size() != transactions.size()) return false;
  for (std::size_t i = 0; i < parts->size(); ++i) {
    const ByteView part = (*parts)[i];
    const Bytes& encoded = transactions[i]->encoded;
    if (!std::equal(part.begin(), part.end(), encoded.begin(), encoded.end())) return false;
  }
  return true;
}

void Replica::Impl::run_engine() {
  while (!inputs.empty() && !halted) {
    consensus::Event event{now, wall, std::move(inputs.front())};
    inputs.pop_front();
    outputs.clear();
    parts.engine->step(event, outputs);
    for (consensus::Output& output : outputs) {
      std::visit([this](auto& concrete) { perform(concrete); }, output);
    }
  }
  if (halted) inputs.clear();
}

void Replica::Impl::perform(consensus::Persist& persist) {
  persisting.push_back(persist.token);
  ports.vote_log.append(persist.token, std::move(persist.record), persist.snapshot);
}

void Replica::Impl::perform(consensus::Send& send) {
  messages[send.type].out += send.to ? 1 : peers.size();
  const bool durable = QUORATE_MUTANT(host_sends_before_durable) || !send.after ||
                       persisting.empty() || *send.after < persisting.front();
  if (durable) {
    ports.transport.send(send.to, TrafficClass::consensus, std::move(send.message));
    return;
  }
  // While the disk hangs the protocol says the same again and again: once is enough.
  const bool said = std::any_of(held.begin(), held.end(), [&send](const auto& entry) {
    return entry.second.to == send.to && entry.second.message == send.message;
  });
  if (said) return;
  held_bytes += send.message.size();
  const consensus::PersistToken after = *send.after;
  held.emplace(after, std::move(send));
}

void Replica::Impl::perform(consensus::RequestProposal& request) {
  if (tentative_order()) return request_on_branch(request);
  std::map<Height, std::vector<ledger::TransactionPtr>> ahead;
  for (const Digest& id : request.ahead) {
    const auto known = payloads.find(id);
    if (known != payloads.end()) ahead[known->second.height] = known->second.transactions;
  }
  builder.request(request, ahead, now);
}

void Replica::Impl::perform(consensus::CancelProposal& cancel) {
  builder.cancel(cancel.height, cancel.view);
}

void Replica::Impl::perform(consensus::Validate& validate) {
  watch.pre_prepared(validate.height, now);
  if (payloads.count(validate.id) != 0 || take_own(validate)) {
    feed(consensus::Validated{validate.id, true});
    return;
  }
  ++checking[validate.id];
  ports.payload_checker.check(validate.id, validate.height, std::move(validate.payload));
}

void Replica::Impl::perform(consensus::Commit& commit) {
  committed_to = commit.height;
  committed.emplace_back(std::move(commit));
  execute_committed();
}

void Replica::Impl::execute_committed() {
  while (!committed.empty() && !halted) {
    if (const auto* rewind = std::get_if<consensus::Rewind>(&committed.front())) {
      ports.executor.rewind(rewind->height);
    } else {
      auto& commit = std::get<consensus::Commit>(committed.front());
      auto transactions = transactions_of(commit);
      if (!transactions) return;
      execute(std::move(commit), std::move(*transactions));
    }
    committed.pop_front();
  }
}

void Replica::Impl::execute(consensus::Commit commit,
                            std::vector<ledger::TransactionPtr> transactions) {
  note_committed(commit, transactions);
  if (commit.view) agreed_in.insert_or_assign(commit.height, *commit.view);
  ledger::OrderedBlock block;
  block.height = commit.height;
  block.payload_id = commit.id;
  block.proposed_time = commit.proposed_time;
  block.proposer = commit.proposer;
  block.payload = std::move(commit.payload);
  block.transactions = std::move(transactions);
  block.commit_certificate = std::move(commit.commit_certificate);
  ports.executor.execute(std::move(block));
}

std::optional<std::vector<ledger::TransactionPtr>> Replica::Impl::transactions_of(
    const consensus::Commit& commit) {
  if (commit.payload.empty()) return std::vector<ledger::TransactionPtr>{};
  const auto known = payloads.find(commit.id);
  if (known != payloads.end()) return known->second.transactions;
  const auto* own = builder.own_proposal(commit.height);
  if (own != nullptr && is_payload_of(commit.payload, *own)) return *own;
  if (checking.count(commit.id) != 0) return std::nullopt;
  // Committed by the others before this replica checked it.
  auto decoded = decode_committed_payload(chain_id, commit.payload);
  if (!decoded) {
    stop_voting("the payload committed at height " + std::to_string(commit.height.value()) +
                " is malformed (" + decoded.error().detail +
                "), which more than f faulty replicas must have caused");
    return std::nullopt;
  }
  return std::move(*decoded);
}

void Replica::Impl::remember_payload(const Digest& id, Height height,
                                     std::vector<ledger::TransactionPtr> transactions) {
  if (height.saturating_add(parts.traits.commit_depth) <= head.height) return;
  payloads.insert_or_assign(id, OrderedPayload{height, std::move(transactions)});
}

void Replica::Impl::perform(consensus::StartWork& work) {
  if (ports.miner != nullptr) ports.miner->start(work.token, std::move(work.puzzle));
}

void Replica::Impl::perform(consensus::CancelWork& work) {
  if (ports.miner != nullptr) ports.miner->cancel(work.token);
}

void Replica::Impl::perform(consensus::Sealed& sealed) {
  ports.executor.store_seals(sealed.height, std::move(sealed.seals));
  Notice notice{};
  notice.kind = Notice::Kind::block_sealed;
  notice.height = sealed.height;
  notify(std::move(notice));
}

void Replica::Impl::perform(consensus::LoadPayload& load) { ports.executor.load_payload(load.id); }

void Replica::Impl::perform(consensus::LoadCertificates& load) {
  ports.executor.load_certificates(load.first, load.count);
}

void Replica::Impl::perform(consensus::RequestSync& request) {
  catch_up.start(request.evidence, now);
  Notice notice{};
  notice.kind = Notice::Kind::sync_started;
  notice.height = request.evidence;
  notify(std::move(notice));
}

void Replica::Impl::perform(consensus::Rejected& rejected) {
  Notice notice{};
  notice.kind = Notice::Kind::message_rejected;
  notice.peer = rejected.from;
  notice.text = std::move(rejected.reason);
  notify(std::move(notice));
}

void Replica::Impl::perform(consensus::Evidence& evidence) {
  Notice notice{};
  notice.kind = Notice::Kind::equivocation;
  notice.peer = evidence.culprit;
  notice.text = std::move(evidence.what);
  notice.proof = std::move(evidence.proof);
  notify(std::move(notice));
}

void Replica::Impl::perform(consensus::Halt& halt) { stop_voting(halt.reason); }

void Replica::Impl::perform(consensus::Diverged& diverged) {
  if (halted) return;
  stop_voting(diverged.reason, Notice::Kind::diverged);
  ports.executor.replace_ledger({diverged.height, diverged.executed_to, diverged.reason});
}

void Replica::Impl::stop_voting(const std::string& reason, Notice::Kind kind) {
  if (halted) return;
  halted = reason;
  held.clear();
  held_bytes = 0;
  Notice notice{};
  notice.kind = kind;
  notice.height = head.height;
  notice.text = reason;
  notify(std::move(notice));
}

void Replica::Impl::perform(consensus::RelayPending&) {
  relay_oldest();
  relay.remind(now);
}

void Replica::Impl::perform(consensus::Progress& progress) {
  using Phase = consensus::Progress::Phase;
  if (progress.phase == Phase::pre_prepared) {
    watch.pre_prepared(progress.height, now, proposed_content(progress.height));
  }
  if (progress.phase == Phase::view_entered) watch.entered_view(now);
  Notice notice{};
  notice.kind = Notice::Kind::progress;
  notice.height = progress.height;
  notice.view = progress.view;
  notice.phase = progress.phase;
  notice.blocks = progress.blocks;
  notice.text = progress.cause;
  notify(std::move(notice));
}

}  // namespace quorate::node
