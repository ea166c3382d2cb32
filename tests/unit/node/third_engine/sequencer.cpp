#include "tests/unit/node/third_engine/sequencer.hpp"

#include <algorithm>
#include <map>

#include "crypto/codec/reader.hpp"
#include "crypto/codec/writer.hpp"
#include "crypto/hash.hpp"

namespace quorate::consensus::sequencer {
namespace {

// Its commit certificate says what replica 0 said, and proves nothing.
struct Order {
  Height height;
  WallMs time;
  Digest payload_digest;

  Bytes encoded() const {
    crypto::Writer out;
    out.integer_of(height);
    out.integer_of(time);
    out.raw(payload_digest);
    return std::move(out).take();
  }
  Digest id() const { return crypto::sha256(encoded()); }
};

struct OrderMessage final : VerifiedMessage {
  const char* type_name() const override { return "order"; }
  bool is_unsigned() const override { return true; }
  Order order;
  Bytes payload;
};

class OrderVerifier final : public MessageVerifier {
 public:
  explicit OrderVerifier(const EngineConfig& config)
      : proposer_(config.membership.key(ReplicaId(0))), payload_max_(config.payload_bytes_max) {}

  Result<VerifiedMessagePtr> verify(ReplicaId from, ByteView message) const override {
    if (from != ReplicaId(0)) return fail(Errc::bad_signature, "only replica 0 says the order");
    if (message.size() < kOrderBytes) return fail(Errc::bad_encoding, "an order is longer");
    return verify_committed(message.first(kOrderBytes), to_bytes(message.subspan(kOrderBytes)));
  }
  Result<CommittedPayload> verify_commit_certificate(ByteView certificate) const override {
    QUORATE_TRY(const Order order, decode(certificate));
    return CommittedPayload{order.height, order.id(), order.time, proposer_, order.payload_digest};
  }
  Result<VerifiedMessagePtr> verify_committed(ByteView certificate, Bytes payload) const override {
    auto out = std::make_shared<OrderMessage>();
    QUORATE_TRY(out->order, decode(certificate));
    if (payload_digest(payload) != out->order.payload_digest) {
      return fail(Errc::bad_encoding, "another payload than the order names");
    }
    out->payload = std::move(payload);
    return out;
  }
  Digest payload_digest(ByteView payload) const override { return crypto::sha256(payload); }
  Result<ProvedOffence> verify_evidence(ByteView) const override {
    return fail(Errc::bad_signature, "nobody signs anything");
  }
  std::size_t message_bytes_max() const override { return payload_max_ + kOrderBytes; }

 private:
  static constexpr std::size_t kOrderBytes = 8 + 8 + Digest::kSize;

  static Result<Order> decode(ByteView bytes) {
    crypto::Reader in(bytes);
    Order out;
    out.height = in.integer_of<Height>();
    out.time = in.integer_of<WallMs>();
    out.payload_digest = in.fixed<Digest>();
    QUORATE_CHECK(in.finish());
    return out;
  }

  PublicKey proposer_;
  std::size_t payload_max_;
};

class SequencerEngine final : public Engine {
 public:
  explicit SequencerEngine(const EngineConfig& config)
      : proposer_(config.membership.key(ReplicaId(0))), proposes_(config.self == ReplicaId(0)) {}

  void step(const Event& event, std::vector<Output>& out) override {
    wall_ = event.wall;
    std::visit([&](const auto& input) { on(input, out); }, event.input);
  }
  std::optional<Instant> next_deadline() const override { return std::nullopt; }
  Status status() const override {
    Status out{};
    out.last_executed = executed_;
    out.last_committed = committed_;
    out.highest_evidence = evidence_;
    return out;
  }
  std::size_t memory_bytes() const override {
    return (checked_.size() + heard_.size()) * sizeof(Block);
  }

 private:
  struct Block {
    Order order;
    Bytes payload;
    bool empty = true;
  };

  template <class Other>
  void on(const Other&, std::vector<Output>&) {}

  void on(const Started& started, std::vector<Output>& out) {
    executed_ = committed_ = evidence_ = started.applied;
    ask(out);
  }
  void on(const ProposalReady& ready, std::vector<Output>& out) {
    asked_ = false;
    const Order order{ready.height, wall_, ready.payload_digest};
    Bytes message = order.encoded();
    message.insert(message.end(), ready.payload.begin(), ready.payload.end());
    out.push_back(Send{std::nullopt, std::move(message), std::nullopt, "order"});
    hear({order, ready.payload}, out);
  }
  void on(const MessageReceived& received, std::vector<Output>& out) {
    const auto& message = dynamic_cast<const OrderMessage&>(*received.message);
    evidence_ = std::max(evidence_, message.order.height);
    hear({message.order, message.payload}, out);
  }
  void on(const SyncFinished&, std::vector<Output>& out) {
    syncing_ = false;
    go_on(out);
  }
  void on(const Validated& validated, std::vector<Output>& out) {
    if (!checking_ || checking_->order.id() != validated.id) return;
    Block block = std::move(*checking_);
    checking_.reset();
    if (!validated.valid) return out.push_back(Rejected{ReplicaId(0), "an invalid payload"});
    checked_.push_back(std::move(block));
    while (checked_.size() >= kSequencerDepth) commit(out);
    TentativeOrder tentative;  // without certificates: they come with the commits
    for (const Block& each : checked_) tentative.ids.push_back(each.order.id());
    out.push_back(std::move(tentative));
    go_on(out);
    ask(out);
  }
  void on(const Executed& executed, std::vector<Output>&) { executed_ = executed.height; }

  Height tip() const { return committed_.saturating_add(checked_.size()); }

  void hear(Block block, std::vector<Output>& out) {
    if (block.order.height > tip()) heard_.emplace(block.order.height, std::move(block));
    go_on(out);
  }
  // One payload is checked at a time; what is missing below the others is asked for.
  void go_on(std::vector<Output>& out) {
    heard_.erase(heard_.begin(), heard_.upper_bound(tip()));
    if (checking_ || heard_.empty()) return;
    if (heard_.begin()->first != tip().next()) {
      if (!syncing_) out.push_back(RequestSync{tip(), evidence_});
      syncing_ = true;
      return;
    }
    constexpr std::size_t kCountBytes = 4;
    checking_ = std::move(heard_.begin()->second);
    checking_->empty = checking_->payload.size() <= kCountBytes;
    out.push_back(Validate{tip().next(), checking_->order.id(), checking_->payload});
  }
  void commit(std::vector<Output>& out) {
    Block block = std::move(checked_.front());
    checked_.erase(checked_.begin());
    committed_ = block.order.height;
    out.push_back(Commit{block.order.height, block.order.id(), block.order.time, proposer_,
                         std::move(block.payload), block.order.encoded()});
  }
  // What waits for its depth is followed by empty payloads until it has it.
  void ask(std::vector<Output>& out) {
    if (!proposes_ || asked_) return;
    asked_ = true;
    RequestProposal request{tip().next(), View(0), false, {}};
    for (const Block& block : checked_) {
      request.allow_empty = request.allow_empty || !block.empty;
      request.ahead.push_back(block.order.id());
    }
    out.push_back(std::move(request));
  }

  PublicKey proposer_;
  bool proposes_;
  WallMs wall_;
  Height executed_, committed_, evidence_;
  bool asked_ = false;
  bool syncing_ = false;
  std::map<Height, Block> heard_;  // and not checked yet
  std::optional<Block> checking_;
  std::vector<Block> checked_;  // above the last commit, without a gap
};

}  // namespace

Result<EngineParts> make_sequencer(const EngineConfig& config) {
  EngineParts parts;
  parts.traits.seals = false;
  parts.traits.commit_depth = kSequencerDepth;
  parts.traits.log_binds = false;
  parts.message_verifier = std::make_shared<const OrderVerifier>(config);
  parts.engine = std::make_unique<SequencerEngine>(config);
  return parts;
}

}  // namespace quorate::consensus::sequencer
