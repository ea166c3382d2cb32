#include "ledger/types/block_certificate.hpp"

namespace quorate::ledger {
namespace {

// Far above any real membership; the quorum check compares with the real one.
constexpr std::uint32_t kSealsMax = 1024;
constexpr std::size_t kHeaderBytesMax = 1024;

std::string both(std::string_view what, const Digest& header, const Digest& expected) {
  return "the certificate is for " + std::string(what) + " " + to_0x(header) + ", not " +
         to_0x(expected);
}

}  // namespace

Bytes encode(const BlockCertificate& certificate) {
  crypto::Writer out;
  out.bytes(encode(certificate.header));
  crypto::encode(out, certificate.seals);
  return std::move(out).take();
}

Result<BlockCertificate> decode_block_certificate(ByteView bytes) {
  crypto::Reader in(bytes);
  BlockCertificate out;
  const ByteView header = in.bytes(kHeaderBytesMax);
  out.seals = crypto::decode_signatures(in, kSealsMax);
  QUORATE_CHECK(in.finish());
  QUORATE_TRY(out.header, decode_header(header));
  return out;
}

Result<void> verify(const BlockCertificate& certificate, const crypto::Membership& membership,
                    const crypto::Verifier& verifier) {
  const Header& header = certificate.header;
  if (header.chain_id != membership.chain_id) {
    return fail(Errc::conflict, both("chain", header.chain_id, membership.chain_id));
  }
  if (header.epoch != membership.epoch) {
    return fail(Errc::conflict, "the certificate is for epoch " +
                                    std::to_string(header.epoch.value()) + ", not " +
                                    std::to_string(membership.epoch.value()));
  }
  if (header.config_hash != membership.config_hash) {
    return fail(Errc::conflict, both("configuration", header.config_hash, membership.config_hash));
  }
  const Digest digest = crypto::seal_signing_digest(membership, header.height, block_hash(header));
  return crypto::verify_quorum(membership, digest, certificate.seals, verifier);
}

}  // namespace quorate::ledger
