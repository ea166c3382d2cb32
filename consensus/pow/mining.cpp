#include "consensus/pow/mining.hpp"

#include <algorithm>

#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pow {

namespace {

constexpr Duration kRefresh = std::chrono::milliseconds(500);
constexpr std::uint64_t kMillion = 1'000'000;

}  // namespace

bool Mining::may_mine() const {
  return state_.settings.mine && state_.settings.key && !state_.observer;
}

// How far a header's time may trail the clock.
Duration Mining::clock_step() const {
  const auto half = state_.settings.rules.parameters().interval_ms * kMillion / 2;
  return std::max(Duration(std::chrono::seconds(1)), Duration(static_cast<std::int64_t>(half)));
}

void Mining::advance(const Block& tip, bool allowed) {
  if (work_ && work_->header.parent != tip.id) stop();
  if (request_ && request_->parent != tip.id) {
    state_.outbox.emit(CancelProposal{request_->height, View(0)});
    request_.reset();
  }
  if (!may_mine()) return;
  if (!allowed) {
    stop();
    return;
  }
  if (request_) return;
  const bool stale = work_ && state_.eligible && state_.now - work_->made >= kRefresh;
  if ((!work_ || stale) && commits_.exec_ref(tip)) {
    request(tip);
  } else if (work_) {
    follow_clock(tip);
  }
}

// None while the host has yet to be shown one of them: it could not leave out its transactions.
std::optional<std::vector<Digest>> Mining::blocks_ahead(const Block& tip) const {
  std::vector<Digest> out;
  if (QUORATE_MUTANT(ahead_forgotten)) return out;
  for (const Block* block = &tip; block->id != commits_.executed().id; block = block->parent) {
    const StoredBody* body = state_.bodies.find(block->id);
    if (body == nullptr || !body->shown) return std::nullopt;
    out.push_back(block->id);
  }
  std::reverse(out.begin(), out.end());
  return out;
}

void Mining::request(const Block& tip) {
  auto ahead = blocks_ahead(tip);
  if (!ahead) return;
  RequestProposal out;
  out.height = tip.height().next();
  out.allow_empty = true;
  out.ahead = std::move(*ahead);
  request_ = Request{tip.id, out.height};
  state_.outbox.emit(std::move(out));
}

void Mining::on_proposal(const ProposalReady& proposal) {
  if (!request_ || proposal.height != request_->height) return;  // it was cancelled
  const Block* parent = state_.tree->find(request_->parent);
  request_.reset();
  if (parent == nullptr) return;
  const auto exec_ref = commits_.exec_ref(*parent);
  if (!exec_ref) return;
  // The same payload again: the search goes on.
  if (work_ && work_->header.payload_digest == proposal.payload_digest) {
    work_->made = state_.now;
    return;
  }
  start(make_header(*parent, proposal.payload_digest, *exec_ref),
        std::make_shared<const Bytes>(proposal.payload), state_.now);
}

crypto::work::Header Mining::make_header(const Block& parent, const Digest& payload_digest,
                                         const Digest& exec_ref) const {
  crypto::work::Header out;
  out.chain_id = state_.settings.membership.chain_id;
  out.parent = parent.id;
  out.height = parent.header.height.next();
  out.payload_digest = payload_digest;
  out.exec_ref = exec_ref;
  out.time_s =
      std::max(state_.settings.rules.earliest_time(parent.context), state_.wall.value() / 1'000);
  out.bits = state_.settings.rules.next_bits(parent.context);
  out.miner = *state_.settings.key;
  return out;
}

void Mining::start(crypto::work::Header header, Payload payload, Instant made) {
  last_token_ = last_token_.next();
  state_.outbox.emit(StartWork{last_token_, crypto::work::encode(header)});
  work_ = Work{last_token_, std::move(header), std::move(payload), state_.now, made};
}

void Mining::stop() {
  if (!work_) return;
  state_.outbox.emit(CancelWork{work_->token});
  work_.reset();
}

void Mining::follow_clock(const Block& tip) {
  if (state_.now - work_->started < clock_step()) return;
  crypto::work::Header header = work_->header;
  header.time_s =
      std::max(state_.settings.rules.earliest_time(tip.context), state_.wall.value() / 1'000);
  if (header.time_s == work_->header.time_s) {
    work_->started = state_.now;
    return;
  }
  start(std::move(header), work_->payload, work_->made);
}

std::optional<FullBlock> Mining::on_work(const WorkFound& found) {
  if (!work_ || found.token != work_->token) return std::nullopt;  // it came too late
  crypto::work::Header header = work_->header;
  header.nonce = found.nonce;
  const Identified solved = identify(header);
  if (!state_.settings.work->meets(header, solved.id)) {
    // No solution at all: somebody else searches on.
    start(work_->header, work_->payload, work_->made);
    return std::nullopt;
  }
  FullBlock out{solved, work_->payload};
  work_.reset();
  return out;
}

std::optional<Instant> Mining::next_deadline() const {
  if (!work_) return std::nullopt;
  const Instant clock = work_->started + clock_step();
  if (!state_.eligible || request_) return clock;
  return std::min(clock, work_->made + kRefresh);
}

}  // namespace quorate::consensus::pow
