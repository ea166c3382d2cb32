#include "crypto/certificate/seal.hpp"

#include "crypto/base/assert.hpp"

namespace quorate::crypto {
namespace {

constexpr std::size_t kEncodedSignatureSize = sizeof(ReplicaId::rep) + Signature::kSize;

std::string name_of(ReplicaId replica) { return "replica " + std::to_string(replica.value()); }

bool strictly_increasing(const std::vector<ReplicaSignature>& signatures) {
  return std::adjacent_find(signatures.begin(), signatures.end(),
                            [](const ReplicaSignature& a, const ReplicaSignature& b) {
                              return a.replica >= b.replica;
                            }) == signatures.end();
}

}  // namespace

Digest seal_signing_digest(const Membership& membership, Height height, const Digest& block_hash) {
  Writer body;
  body.integer_of(height);
  body.raw(block_hash);
  return consensus_signing_digest(SignedType::seal, membership, body.view());
}

void encode(Writer& out, const std::vector<ReplicaSignature>& signatures) {
  QUORATE_ASSERT(strictly_increasing(signatures));
  out.u32(static_cast<std::uint32_t>(signatures.size()));
  for (const ReplicaSignature& entry : signatures) {
    out.integer_of(entry.replica);
    out.raw(entry.signature);
  }
}

std::vector<ReplicaSignature> decode_signatures(Reader& in, std::uint32_t members_max) {
  const std::uint32_t count = in.count(0, members_max, kEncodedSignatureSize);
  std::vector<ReplicaSignature> out;
  out.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto replica = in.integer_of<ReplicaId>();
    out.push_back({replica, in.fixed<Signature>()});
  }
  if (!strictly_increasing(out)) {
    in.reject("the signatures are not in strictly increasing order of replica");
    return {};
  }
  return out;
}

Result<void> verify_quorum(const Membership& membership, const Digest& digest,
                           const std::vector<ReplicaSignature>& signatures,
                           const Verifier& verifier) {
  // What costs nothing comes first, so that a hopeless certificate costs no verification.
  std::optional<ReplicaId> previous;
  for (const ReplicaSignature& entry : signatures) {
    if (!membership.contains(entry.replica)) {
      return fail(Errc::bad_signature, name_of(entry.replica) + " is not one of the " +
                                           std::to_string(membership.size()) + " members");
    }
    if (previous && entry.replica <= *previous) {
      return fail(Errc::bad_signature, name_of(entry.replica) + " is listed twice or out of order");
    }
    previous = entry.replica;
  }
  if (signatures.size() < membership.quorum()) {
    return fail(Errc::rejected, "signed by " + std::to_string(signatures.size()) + " of " +
                                    std::to_string(membership.size()) + " members; the quorum is " +
                                    std::to_string(membership.quorum()));
  }
  for (const ReplicaSignature& entry : signatures) {
    if (!verifier.verify(membership.key(entry.replica), digest, entry.signature)) {
      return fail(Errc::bad_signature,
                  "the signature of " + name_of(entry.replica) + " does not verify");
    }
  }
  return {};
}

}  // namespace quorate::crypto
