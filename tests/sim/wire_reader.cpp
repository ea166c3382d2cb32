#include "tests/sim/wire_reader.hpp"

#include <string_view>

#include "crypto/hash.hpp"

namespace quorate::sim {
namespace {

constexpr std::size_t kSignature = 64;
constexpr std::size_t kHash = 32;
constexpr std::size_t kBallot = 8 + 8 + kHash;
constexpr std::size_t kClaim = 8 + kHash + 8;
constexpr std::size_t kHeader = 8 + 8 + 32 + 8 + kHash;

void append(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

Digest tagged(std::string_view tag, ByteView bytes) {
  Bytes all = to_bytes(as_bytes(tag));
  all.push_back(0);
  append(all, bytes);
  return crypto::sha256(all);
}

// Reads on; whatever lies behind the end is zero, and `good` is gone.
class Cursor {
 public:
  explicit Cursor(ByteView bytes) : rest_(bytes) {}
  ByteView take(std::size_t size) {
    if (size > rest_.size()) {
      good_ = false;
      return {};
    }
    const ByteView out = rest_.first(size);
    rest_ = rest_.subspan(size);
    return out;
  }
  std::uint64_t number(std::size_t size) {
    std::uint64_t out = 0;
    const ByteView bytes = take(size);
    for (std::size_t i = 0; i < bytes.size(); ++i) out |= std::uint64_t{bytes[i]} << (8 * i);
    return out;
  }
  bool good() const { return good_; }
  ByteView rest() const { return rest_; }

 private:
  ByteView rest_;
  bool good_ = true;
};

class SignatureReader {
 public:
  SignatureReader(const World& world, ByteView message) : world_(world), in_(message) {
    const auto kind = static_cast<MessageKind>(in_.number(1));
    epoch_ = in_.take(8);
    read(kind);
    if (!in_.good() || (!in_.rest().empty() && kind != MessageKind::pre_prepare)) found_.clear();
  }
  std::vector<WireSignature> take() { return std::move(found_); }

 private:
  void read(MessageKind kind) {
    switch (kind) {
      case MessageKind::pre_prepare: core(); return;
      case MessageKind::prepare:
      case MessageKind::commit: return vote(kind);
      case MessageKind::seal: return one(kind, 8 + kHash);
      case MessageKind::checkpoint: return one(kind, kClaim);
      case MessageKind::suspect: return suspect();
      case MessageKind::view_change: return view_change();
      case MessageKind::new_view: return new_view();
      case MessageKind::commit_certificate: return commit_certificate();
      case MessageKind::checkpoint_proof: return list(MessageKind::checkpoint, in_.take(kClaim));
      default: in_.take(in_.rest().size()); return;
    }
  }

  ReplicaId primary(View view) const {
    return ReplicaId(static_cast<std::uint32_t>(view.value() % world_.options.replicas));
  }
  Digest digest_of(MessageKind kind, ByteView body) const {
    Bytes bytes;
    bytes.push_back(static_cast<std::uint8_t>(kind));
    append(bytes, world_.membership.chain_id);
    append(bytes, epoch_);
    append(bytes, world_.membership.config_hash);
    append(bytes, body);
    return tagged("quorate/pbft/1", bytes);
  }
  // `body` is what is signed besides type, chain, epoch and configuration.
  WireSignature signature(MessageKind kind, ByteView body, ReplicaId signer) const {
    WireSignature out;
    out.kind = kind;
    out.signer = signer;
    out.digest = digest_of(kind, body);
    Cursor in(body);
    if (kind == MessageKind::pre_prepare || kind == MessageKind::prepare ||
        kind == MessageKind::commit) {
      out.view = View(in.number(8));
      out.height = Height(in.number(8));
      const ByteView id = in.take(kHash);
      std::copy(id.begin(), id.end(), out.id.bytes.begin());
    } else if (kind == MessageKind::seal || kind == MessageKind::checkpoint) {
      out.height = Height(in.number(8));
    } else {
      out.view = View(in.number(8));
    }
    return out;
  }
  ReplicaId signer() { return ReplicaId(static_cast<std::uint32_t>(in_.number(4))); }

  void one(MessageKind kind, std::size_t body_size) {
    const ByteView body = in_.take(body_size);
    const ReplicaId by = signer();
    in_.take(kSignature);
    if (in_.good()) found_.push_back(signature(kind, body, by));
  }
  void vote(MessageKind kind) { one(kind, kBallot); }
  void suspect() { one(MessageKind::suspect, 8 + 1); }

  ByteView core() {
    const ByteView ballot = in_.take(kBallot);
    in_.take(kSignature);
    if (in_.good()) {
      found_.push_back(
          signature(MessageKind::pre_prepare, ballot, primary(View(Cursor(ballot).number(8)))));
    }
    return ballot;
  }
  void list(MessageKind kind, ByteView body) {
    for (std::uint64_t left = in_.number(4); left > 0 && in_.good(); --left) {
      const ReplicaId by = signer();
      in_.take(kSignature);
      if (in_.good()) found_.push_back(signature(kind, body, by));
    }
  }
  void view_change() {
    const std::size_t place = found_.size();
    const ByteView view = in_.take(8);
    const ByteView before = in_.rest();
    if (in_.number(1) != 0) list(MessageKind::checkpoint, in_.take(kClaim));
    for (std::uint64_t left = in_.number(4); left > 0 && in_.good(); --left) {
      list(MessageKind::prepare, core());
    }
    const ByteView content = before.first(before.size() - in_.rest().size());
    const ReplicaId by = signer();
    in_.take(kSignature);
    if (!in_.good()) return;
    Bytes body = to_bytes(view);
    append(body, tagged("quorate/view-change/1", content));
    for (unsigned shift = 0; shift < 32; shift += 8) {
      body.push_back(static_cast<std::uint8_t>(by.value() >> shift));
    }
    found_.insert(found_.begin() + static_cast<std::ptrdiff_t>(place),
                  signature(MessageKind::view_change, body, by));
  }
  void new_view() {
    const ByteView view = in_.take(8);
    const ByteView before = in_.rest();
    for (std::uint64_t left = in_.number(4); left > 0 && in_.good(); --left) view_change();
    for (std::uint64_t left = in_.number(4); left > 0 && in_.good(); --left) core();
    const ByteView content = before.first(before.size() - in_.rest().size());
    in_.take(kSignature);
    if (!in_.good()) return;
    Bytes body = to_bytes(view);
    append(body, tagged("quorate/new-view/1", content));
    found_.insert(found_.begin(),
                  signature(MessageKind::new_view, body, primary(View(Cursor(view).number(8)))));
  }
  void commit_certificate() {
    const ByteView height = in_.take(8);
    const ByteView view = in_.take(8);
    const bool proposal = in_.number(1) != 0;
    Bytes scoped;
    append(scoped, world_.membership.chain_id);
    append(scoped, epoch_);
    append(scoped, proposal ? in_.take(kHeader) : height);
    Bytes ballot = to_bytes(view);
    append(ballot, height);
    append(ballot, tagged(proposal ? "quorate/prop/1" : "quorate/null/1", scoped));
    list(MessageKind::commit, ballot);
  }

  const World& world_;
  Cursor in_;
  ByteView epoch_;
  std::vector<WireSignature> found_;
};

}  // namespace

std::vector<WireSignature> signatures_in(const World& world, ByteView message) {
  return SignatureReader(world, message).take();
}

}  // namespace quorate::sim
