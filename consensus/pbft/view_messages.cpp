// Encodings and signed digests of SUSPECT, VIEW-CHANGE and NEW-VIEW.
#include "consensus/pbft/messages.hpp"
#include "crypto/hash.hpp"

namespace quorate::consensus::pbft {

namespace {

using crypto::Reader;
using crypto::Writer;

constexpr std::size_t kCoreSize = 8 + 8 + Digest::kSize + Signature::kSize;
constexpr std::size_t kSignatureEntrySize = 4 + Signature::kSize;
constexpr std::size_t kCertificateSizeMin = kCoreSize + 4;
constexpr std::size_t kViewChangeSizeMin = 8 + 1 + 4 + 4 + Signature::kSize;

// What a VIEW-CHANGE carries, and its signature covers by hash.
void put_content(Writer& out, const ViewChange& message) {
  out.u8(message.stable ? 1 : 0);
  if (message.stable) encode(out, *message.stable);
  out.u32(static_cast<std::uint32_t>(message.prepared.size()));
  for (const PreparedCertificate& certificate : message.prepared) encode(out, certificate);
}

void put_content(Writer& out, const NewView& message) {
  out.u32(static_cast<std::uint32_t>(message.view_changes.size()));
  for (const ViewChangePtr& view_change : message.view_changes) encode(out, *view_change);
  out.u32(static_cast<std::uint32_t>(message.proposals.size()));
  for (const Core& core : message.proposals) encode(out, core);
}

template <class M>
Digest content_digest(std::string_view tag, const M& message) {
  Writer out;
  put_content(out, message);
  return crypto::hash(tag, {out.view()});
}

}  // namespace

void encode(Writer& out, const Suspect& message) {
  out.integer_of(message.view);
  out.u8(static_cast<std::uint8_t>(message.reason));
  out.integer_of(message.replica);
  out.raw(message.signature);
}

Suspect decode_suspect(Reader& in) {
  Suspect out{};
  out.view = in.integer_of<View>();
  const std::uint8_t reason = in.u8();
  if (reason < 1 || reason > 5) in.reject("an unknown reason in a SUSPECT");
  out.reason = static_cast<SuspicionReason>(reason);
  out.replica = in.integer_of<ReplicaId>();
  out.signature = in.fixed<Signature>();
  return out;
}

void encode(Writer& out, const ViewChange& message) {
  out.integer_of(message.view);
  put_content(out, message);
  out.integer_of(message.replica);
  out.raw(message.signature);
}

ViewChangePtr decode_view_change(Reader& in, const DecodeLimits& limits) {
  auto out = std::make_shared<ViewChange>();
  out->view = in.integer_of<View>();
  const std::uint8_t stable = in.u8();
  if (stable > 1) in.reject("a flag that is neither 0 nor 1");
  if (stable == 1) out->stable = decode_checkpoint_proof(in, limits.members);
  for (std::uint32_t left = in.count(0, limits.window, kCertificateSizeMin); left > 0 && in.ok();
       --left) {
    out->prepared.push_back(decode_prepared_certificate(in, limits.members));
  }
  out->replica = in.integer_of<ReplicaId>();
  out->signature = in.fixed<Signature>();
  return out;
}

void encode(Writer& out, const NewView& message) {
  out.integer_of(message.view);
  put_content(out, message);
  out.raw(message.signature);
}

NewViewPtr decode_new_view(Reader& in, const DecodeLimits& limits) {
  auto out = std::make_shared<NewView>();
  out->view = in.integer_of<View>();
  for (std::uint32_t left = in.count(0, limits.members, kViewChangeSizeMin); left > 0 && in.ok();
       --left) {
    out->view_changes.push_back(decode_view_change(in, limits));
  }
  for (std::uint32_t left = in.count(0, limits.window, kCoreSize); left > 0 && in.ok(); --left) {
    out->proposals.push_back(decode_core(in));
  }
  out->signature = in.fixed<Signature>();
  return out;
}

void encode(Writer& out, const ViewChangeStub& stub) {
  out.integer_of(stub.view);
  out.raw(stub.content);
  out.integer_of(stub.replica);
  out.raw(stub.signature);
}

ViewChangeStub decode_view_change_stub(Reader& in) {
  ViewChangeStub out;
  out.view = in.integer_of<View>();
  out.content = in.fixed<Digest>();
  out.replica = in.integer_of<ReplicaId>();
  out.signature = in.fixed<Signature>();
  return out;
}

void encode(Writer& out, const NewViewStub& stub) {
  out.integer_of(stub.view);
  out.raw(stub.content);
  out.raw(stub.signature);
}

NewViewStub decode_new_view_stub(Reader& in) {
  NewViewStub out;
  out.view = in.integer_of<View>();
  out.content = in.fixed<Digest>();
  out.signature = in.fixed<Signature>();
  return out;
}

std::size_t view_message_bytes_max(const DecodeLimits& limits, std::uint32_t quorum) {
  const std::size_t certificate = kCoreSize + 4 + (quorum - 1) * kSignatureEntrySize;
  const std::size_t stable = 8 + Digest::kSize + 8 + 4 + quorum * kSignatureEntrySize;
  const std::size_t view_change = kViewChangeSizeMin + stable + limits.window * certificate;
  return 64 + quorum * view_change + limits.window * kCoreSize + Signature::kSize;
}

ViewChangeStub stub_of(const ViewChange& message) {
  return {message.view, content_digest("quorate/view-change/1", message), message.replica,
          message.signature};
}

NewViewStub stub_of(const NewView& message) {
  return {message.view, content_digest("quorate/new-view/1", message), message.signature};
}

Digest suspect_signing_digest(const crypto::Membership& membership, View view,
                              SuspicionReason reason) {
  Writer out;
  out.integer_of(view);
  out.u8(static_cast<std::uint8_t>(reason));
  return consensus_signing_digest(crypto::SignedType::suspect, membership, out.view());
}

Digest view_change_signing_digest(const crypto::Membership& membership,
                                  const ViewChangeStub& stub) {
  Writer out;
  out.integer_of(stub.view);
  out.raw(stub.content);
  out.integer_of(stub.replica);
  return consensus_signing_digest(crypto::SignedType::view_change, membership, out.view());
}

Digest new_view_signing_digest(const crypto::Membership& membership, const NewViewStub& stub) {
  Writer out;
  out.integer_of(stub.view);
  out.raw(stub.content);
  return consensus_signing_digest(crypto::SignedType::new_view, membership, out.view());
}

}  // namespace quorate::consensus::pbft
