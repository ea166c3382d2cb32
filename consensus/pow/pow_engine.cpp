#include "consensus/pow/pow_engine.hpp"

#include "consensus/pow/durable_state.hpp"
#include "crypto/base/mutant.hpp"
#include "crypto/work/bits.hpp"

namespace quorate::consensus::pow {

PowEngine::PowEngine(Settings settings)
    : state_(std::move(settings)),
      intake_(state_),
      tips_(state_),
      commits_(state_),
      mining_(state_, commits_),
      headers_(state_, intake_),
      bodies_(state_, commits_),
      deep_forks_(state_),
      long_branches_(state_, commits_),
      serving_(state_),
      log_(state_, commits_) {}

void PowEngine::step(const Event& event, std::vector<Output>& out) {
  state_.now = event.now;
  state_.wall = event.wall;
  state_.outbox.open(out);
  if (state_.halted || !admits(event.input)) return;
  std::visit([this](const auto& input) { on(input); }, event.input);
  if (!state_.halted && started_) settle();
}

// A whole block that was not asked for is worth a look as often as its peer may send one.
bool PowEngine::admits(const Input& input) {
  const auto* received = std::get_if<MessageReceived>(&input);
  const auto* message =
      received == nullptr ? nullptr : dynamic_cast<const PowMessage*>(received->message.get());
  const auto* block = message == nullptr ? nullptr : std::get_if<FullBlock>(&message->content());
  if (block == nullptr || bodies_.asked(block->header.id)) return true;
  const Admission::Verdict verdict = admission_.take(received->from, state_.now);
  if (verdict == Admission::Verdict::reported) {
    state_.reject(received->from, "more than " + std::to_string(Admission::kPerSecond) +
                                      " blocks a second that nobody asked for; " +
                                      std::to_string(Admission::kExcessReported) + " were dropped");
  }
  return verdict == Admission::Verdict::welcome;
}

// What any change may have made possible, in a fixed order.
void PowEngine::settle() {
  state_.starting = state_.starting && intake_.restoring() > 0;
  if (state_.starting) return;
  long_branches_.advance();
  tips_.advance();
  commits_.advance();
  if (state_.halted) return;
  headers_.advance(tips_.changed_at());
  bodies_.advance();
  deep_forks_.advance();
  mining_.advance(tips_.tip(), may_mine());
  log_.advance();
  intake_.advance();
}

// On a tip that others have left behind work is in vain (LongBranches sees to it that nothing stays
// the tip for long that only leads to something), and so is most of it before anybody was
// asked; but nobody's silence, and no header without its payload, keeps this replica from working.
bool PowEngine::may_mine() const {
  return !commits_.rewinding() && !bodies_.catching_up() && !headers_.asking_first() &&
         !tips_.tip().proved_above();
}

// ---- a life begins ----

void PowEngine::on(const Started& started) {
  started_ = true;
  applied_ = started.applied;
  state_.observer = started.observer;
  if (!restore_tree(started)) return;
  tips_.restore();
  commits_.restore(state_.tree->tip());
  restore_log(started);
}

bool PowEngine::restore_tree(const Started& started) {
  std::vector<crypto::work::Header> headers;
  for (const Bytes& certificate : started.certificates) {
    auto header = crypto::work::decode_header(certificate);
    if (!header) {
      state_.halt("a stored commit certificate is no work header: " + header.error().detail);
      return false;
    }
    headers.push_back(std::move(*header));
  }
  const auto resumed = state_.settings.rules.resume(headers);
  if (!resumed) {
    state_.halt("the ledger's headers do not make a chain: " + resumed.error().detail);
    return false;
  }
  if (resumed->next > 0) {
    state_.tree.emplace(state_.settings.rules, headers[resumed->next - 1], resumed->context,
                        state_.settings.limits);
  }
  for (std::size_t i = resumed->next; i < headers.size(); ++i) {
    const Digest id = crypto::work::id_of(headers[i]);
    if (state_.tree->add(headers[i], id, WallMs::max()).outcome != BlockTree::Outcome::added) break;
    state_.tree->set_valid(id);
    state_.tree->set_applied(id);
  }
  if (state_.tree->tip().id != started.applied_id) {
    state_.halt("the ledger's headers do not lead to its block at height " +
                std::to_string(started.applied.value()) + "; run quorate-node verify");
    return false;
  }
  const std::size_t hashes = started.block_hashes.size();
  for (std::size_t i = 0; i < hashes; ++i) {
    const Height height = started.applied.saturating_sub(hashes - 1 - i);
    if (const Block* block = state_.tree->on_branch(height)) {
      state_.tree->set_executed(block->id, started.block_hashes[i]);
    }
  }
  state_.tree->set_executed(Digest{}, started.genesis_hash);
  return true;
}

void PowEngine::restore_log(const Started& started) {
  if (started.durable.empty() || QUORATE_MUTANT(log_ignored)) return log_.open();
  log_.restore(started.durable);
  auto blocks = replay(started.durable, state_.settings.membership.chain_id,
                       state_.settings.payload_bytes_max);
  if (!blocks) return state_.halt(blocks.error().detail);
  // A child may have been found valid before its parent.
  std::stable_sort(blocks->begin(), blocks->end(), [](const FullBlock& a, const FullBlock& b) {
    return a.header.header.height < b.header.header.height;
  });
  for (const FullBlock& block : *blocks) intake_.restore(block);
}

// ---- inputs ----

void PowEngine::on(const MessageReceived& received) {
  const auto* message = dynamic_cast<const PowMessage*>(received.message.get());
  if (message == nullptr) {
    state_.reject(received.from, "a message of another engine");
    return;
  }
  std::visit([&](const auto& content) { on_message(received.from, content); }, message->content());
}

void PowEngine::on(const ProposalReady& proposal) { mining_.on_proposal(proposal); }
void PowEngine::on(const Validated& answer) {
  intake_.on_validated(answer.id, answer.valid);
  if (!answer.valid) long_branches_.prove_again(answer.id);
}
void PowEngine::on(const Persisted& persisted) { state_.outbox.on_persisted(persisted.token); }
void PowEngine::on(const Executed& executed) { commits_.on_executed(executed); }
void PowEngine::on(const Rewound& rewound) {
  commits_.on_rewound(rewound.height);
  intake_.show_again(rewound.height, commits_.highest());
}
void PowEngine::on(const PayloadLoaded& loaded) { serving_.on_loaded(loaded); }
void PowEngine::on(const CertificatesLoaded& loaded) {
  if (!serving_.on_loaded(loaded)) deep_forks_.on_loaded(loaded);
}
void PowEngine::on(const PendingChanged& pending) { state_.eligible = pending.eligible; }

void PowEngine::on(const WorkFound& found) {
  const auto block = mining_.on_work(found);
  if (block && intake_.on_own_block(*block)) tips_.on_mined(block->header.id);
}

// ---- messages ----

void PowEngine::on_message(ReplicaId from, const Announce& message) {
  for (const Identified& header : message.headers) {
    const BlockIntake::Seen seen = intake_.on_header(from, header);
    if (seen == BlockIntake::Seen::detached) headers_.on_detached(from);
    if (seen != BlockIntake::Seen::joined) return;
    bodies_.note_source(from, header.id);
  }
  tips_.note_known(from, message.headers.back().id);
  state_.heads.note(from, *state_.tree, message.headers.back().id);
}

void PowEngine::on_message(ReplicaId from, const AskHeaders& message) {
  serving_.on_ask(from, message);
}

void PowEngine::on_message(ReplicaId from, const Headers& message) {
  const bool asked_elsewhere = headers_.awaits(from);
  if (deep_forks_.on_headers(from, message, asked_elsewhere)) return;
  if (long_branches_.on_headers(from, message, asked_elsewhere)) return;
  const BlockIntake::Seen seen = headers_.on_headers(from, message);
  if (seen == BlockIntake::Seen::too_old) deep_forks_.suspect(from);
  if (seen == BlockIntake::Seen::too_far_ahead) long_branches_.suspect(from, message);
}

void PowEngine::on_message(ReplicaId from, const FullBlock& message) {
  const BlockIntake::Seen seen = intake_.on_block(from, message);
  if (seen == BlockIntake::Seen::detached) headers_.on_detached(from);
  if (seen != BlockIntake::Seen::joined) return;
  bodies_.on_body(message.header.id);
  tips_.note_known(from, message.header.id);
  state_.heads.note(from, *state_.tree, message.header.id);
}

void PowEngine::on_message(ReplicaId from, const AskBlocks& message) {
  serving_.on_ask(from, message);
}

// ---- outside view ----

std::optional<Instant> PowEngine::next_deadline() const {
  if (state_.halted || !started_ || state_.starting) return std::nullopt;
  std::optional<Instant> earliest;
  for (const std::optional<Instant>& deadline :
       {intake_.next_deadline(), mining_.next_deadline(), headers_.next_deadline(),
        bodies_.next_deadline(), deep_forks_.next_deadline(), long_branches_.next_deadline()}) {
    if (deadline && (!earliest || *deadline < *earliest)) earliest = deadline;
  }
  return earliest;
}

// Whatever joined the tree in this life and does not lead to the heaviest header.
std::uint64_t PowEngine::stale_blocks() const {
  const Height best = state_.tree->best_header().height();
  const std::uint64_t grown = best > applied_ ? best.value() - applied_.value() : 0;
  return intake_.joined() > grown ? intake_.joined() - grown : 0;
}

Status PowEngine::status() const {
  Status out;
  if (started_ && !state_.halted) {
    out.last_executed = commits_.executed().height();
    out.last_committed = commits_.committed().height();
    const Height best = state_.tree->best_height();
    out.highest_evidence =
        std::max(best.saturating_sub(state_.settings.depth() - 1), out.last_executed);
  }
  out.starting = state_.starting;
  out.observer = state_.observer || !state_.settings.key;
  if (out.observer) {
    out.observer_reason = state_.settings.key ? "the host decided that this replica must not mine"
                                              : "this node has no validator key";
  }
  const Block& tip = state_.tree->tip();
  Status::Branch branch;
  branch.tip = tip.height();
  branch.tip_id = tip.id;
  branch.best_header = state_.tree->best_header().height();
  branch.best_header_id = state_.tree->best_header().id;
  branch.parted_at = deep_forks_.parted_at();
  branch.tip_time_s = tip.context.time_s;
  branch.bits = state_.settings.rules.next_bits(tip.context);
  branch.expected_hashes = crypto::work::expected_hashes(branch.bits);
  branch.blocks_mined = tips_.blocks_mined();
  branch.stale_blocks = stale_blocks();
  branch.branch_switches = tips_.branch_switches();
  branch.deepest_switch = tips_.deepest_switch();
  branch.rewinds = commits_.rewinds();
  branch.orphans = intake_.orphans();
  branch.mining = mining_.mining();
  out.branch = branch;
  return out;
}

std::size_t PowEngine::memory_bytes() const {
  return state_.tree->memory_bytes() + state_.bodies.memory_bytes() + intake_.memory_bytes() +
         bodies_.memory_bytes() + serving_.memory_bytes() + deep_forks_.memory_bytes() +
         long_branches_.memory_bytes() + admission_.memory_bytes();
}

}  // namespace quorate::consensus::pow
