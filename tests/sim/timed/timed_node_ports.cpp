// What the replica of a timed run asks of its host.
#include "ledger/types/block.hpp"
#include "tests/sim/timed/counting_signer.hpp"

namespace quorate::sim::timed {
namespace {

constexpr Duration kRead = std::chrono::microseconds(300);

}  // namespace

// ---- sending ----

void TimedNode::send(std::optional<ReplicaId> to, node::TrafficClass traffic, Bytes body) {
  effect([this, to, frame = shared_.frame(self_, traffic, std::move(body))] {
    if (frame->type != MessageType::pre_prepare) return leave(frame, to);
    if (pace_ == Duration(0)) return equivocating_ ? leave_equivocating(frame) : leave(frame, to);
    next_proposal_ = std::max(shared_.timeline.now(), next_proposal_ + pace_);
    shared_.timeline.at(next_proposal_, guarded([this, frame, to] { leave(frame, to); }));
  });
}

void TimedNode::leave(const FramePtr& frame, std::optional<ReplicaId> to) {
  if (to) return depart(frame, *to);
  for (const ReplicaId peer : connected_) depart(frame, peer);
}

void TimedNode::depart(const FramePtr& frame, ReplicaId to) {
  if (connected_.count(to) == 0) return;
  const std::uint32_t number = shared_.watcher.sent(shared_.timeline.now(), *frame, to);
  net_.push_back({Flight{frame, to, number}, true});
  machine_.wake(net_thread_);
}

// One half of the backups gets one proposal, the other half another; one between them gets both.
void TimedNode::leave_equivocating(const FramePtr& frame) {
  const FramePtr twin = twin_of(*frame, shared_, *signer_);
  const std::size_t backups = connected_.size();
  std::size_t index = 0;
  for (const ReplicaId peer : connected_) {
    const std::size_t place = 2 * index++ + 1;  // of 2 * backups
    if (place <= backups) depart(frame, peer);
    if (place >= backups) depart(twin, peer);
  }
}

FramePtr twin_of(const Frame& frame, const Shared& shared, const crypto::Signer& signer) {
  namespace pbft = consensus::pbft;
  auto envelope = pbft::decode(frame.body, shared.limits);
  QUORATE_ASSERT(envelope.has_value());
  auto message = std::get<pbft::PrePrepare>(std::move(envelope->message));
  auto transactions =
      node::decode_committed_payload(shared.membership.chain_id, *message.body.payload);
  QUORATE_ASSERT(transactions.has_value());
  pbft::ProposalHeader& header = message.body.header;
  if (transactions->size() > 1) {
    transactions->pop_back();
    message.body.payload = std::make_shared<const Bytes>(ledger::encode_payload(*transactions));
    header.payload_digest = pbft::payload_digest(*message.body.payload);
  } else {
    header.time = WallMs(header.time.value() + 1);
  }
  message.core.ballot.id = pbft::proposal_id(shared.membership, header);
  message.core.signature =
      signer.sign(pbft::core_signing_digest(shared.membership, message.core.ballot));
  return make_frame(frame.from, frame.traffic, pbft::encode(envelope->epoch, message),
                    shared.limits);
}

void TimedNode::disconnect(ReplicaId peer, const std::string& reason) {
  effect([this, peer, reason] {
    shared_.watcher.happened(shared_.timeline.now(), self_,
                             "throws out node" + std::to_string(peer.value()) + ": " + reason);
    connected(peer, false);
  });
}

// ---- disk and ledger ----

void TimedNode::append(consensus::PersistToken token, Bytes record, bool snapshot) {
  effect([this, entry = Record{token, std::move(record), snapshot}] {
    unsynced_.push_back(entry);
    machine_.wake(vote_thread_);
  });
}

void TimedNode::execute(ledger::OrderedBlock block) {
  effect([this, ordered = std::move(block)] {
    ledger_jobs_.emplace_back(ordered);
    machine_.wake(ledger_thread_);
  });
}

void TimedNode::rewind(Height height) {
  effect([this, height] {
    ledger_jobs_.emplace_back(Back{height});
    machine_.wake(ledger_thread_);
  });
}

void TimedNode::store_seals(Height height, std::vector<crypto::ReplicaSignature> seals) {
  effect([this, entry = Seals{height, std::move(seals)}] {
    ledger_jobs_.emplace_back(entry);
    machine_.wake(ledger_thread_);
  });
}

void TimedNode::load_payload(Digest id) {
  effect([this, id] {
    after(kRead, [this, id] {
      node::PayloadLoaded out{id, std::nullopt};
      if (const auto height = chain_->height_of_payload(id)) {
        if (auto block = chain_->block(*height)) {
          out.body = consensus::PayloadLoaded::Body{std::move(block->payload),
                                                    std::move(block->commit_certificate)};
        }
      }
      post(Lane::urgent, std::move(out));
    });
  });
}

void TimedNode::load_certificates(Height first, std::uint32_t count) {
  effect([this, first, count] {
    after(kRead, [this, first, count] {
      post(Lane::urgent, node::load_certificates(*chain_, first, count).value());
    });
  });
}

// No fault of these runs damages a ledger: whoever diverges has found a bug in the program.
void TimedNode::replace_ledger(node::LedgerReplacement) {
  const bool a_correct_ledger_diverged = false;
  QUORATE_ASSERT(a_correct_ledger_diverged);
}

void TimedNode::read_blocks(ReplicaId for_peer, Height from, std::uint32_t blocks_max,
                            std::size_t bytes_max) {
  effect([=, this] {
    after(kRead, [=, this] {
      node::BlocksRead out{for_peer, {}};
      std::size_t bytes = 0;
      for (Height height = from; out.blocks.size() < blocks_max; height = height.next()) {
        auto block = chain_->block(height);
        if (!block) break;
        bytes += block->payload.size() + block->commit_certificate.size();
        if (!out.blocks.empty() && bytes > bytes_max) break;
        node::ServedBlock served{std::move(block->payload), std::move(block->commit_certificate),
                                 std::nullopt};
        if (auto certificate = chain_->certificate(height)) {
          served.certificate = std::move(*certificate);
        }
        out.blocks.push_back(std::move(served));
      }
      post(Lane::urgent, std::move(out));
    });
  });
}

// ---- proposals, clients, notices ----

void TimedNode::check(Digest id, Height height, Bytes payload) {
  effect([this, id, height, payload = std::move(payload)] {
    const CheckedPayload checked = shared_.check(id, payload, *verifier_);
    const auto done = [this, id, height, checked] {
      post(Lane::urgent, node::PayloadChecked{id, height, *checked});
    };
    const std::vector<ledger::TransactionPtr> none;
    for (Work& chunk : chunks(*checked ? **checked : none, done)) {
      verify_.payload_chunk(std::move(chunk));
    }
    wake_verifiers();
  });
}

void TimedNode::admitted(node::Ticket ticket, std::vector<std::optional<node::Refusal>> results) {
  const auto refused = static_cast<std::size_t>(std::count_if(
      results.begin(), results.end(), [](const auto& result) { return result.has_value(); }));
  effect([this, ticket, refused] { hooks_.admitted(self_, ticket, refused); });
}

void TimedNode::notice(const node::Notice& notice) {
  effect([this, notice] {
    shared_.watcher.noticed(shared_.timeline.now(), self_, notice);
    if (notice.kind == node::Notice::Kind::block_executed) hooks_.executed(self_, *notice.block);
    if (notice.kind == node::Notice::Kind::block_sealed) hooks_.sealed(self_, notice.height);
    if (notice.kind == node::Notice::Kind::blocks_withdrawn) {
      hooks_.withdrawn(self_, notice.height, *notice.withdrawn);
    }
  });
}

}  // namespace quorate::sim::timed
