#include "crypto/work/header.hpp"

#include "crypto/hash.hpp"
#include "crypto/work/bits.hpp"

namespace quorate::crypto::work {

void encode(Writer& out, const Header& header) {
  out.u32(header.version);
  out.raw(header.chain_id);
  out.raw(header.parent);
  out.integer_of(header.height);
  out.raw(header.payload_digest);
  out.raw(header.exec_ref);
  out.u64(header.time_s);
  out.u32(header.bits);
  out.u64(header.nonce);
  out.raw(header.miner);
}

Bytes encode(const Header& header) {
  Writer out;
  out.reserve(kHeaderSize);
  encode(out, header);
  return std::move(out).take();
}

Header decode_header(Reader& in) {
  Header out;
  out.version = in.u32();
  out.chain_id = in.fixed<Digest>();
  out.parent = in.fixed<Digest>();
  out.height = in.integer_of<Height>();
  out.payload_digest = in.fixed<Digest>();
  out.exec_ref = in.fixed<Digest>();
  out.time_s = in.u64();
  out.bits = in.u32();
  out.nonce = in.u64();
  out.miner = in.fixed<PublicKey>();
  if (!in.ok()) return {};
  if (out.version != kHeaderVersion) {
    in.reject("a work header of version " + std::to_string(out.version) + "; known is version " +
              std::to_string(kHeaderVersion));
  } else if (out.height == Height(0)) {
    in.reject("a work header of height 0; genesis has none");
  } else if (out.time_s >= kTimeLimitS) {
    in.reject("a work header's time of " + std::to_string(out.time_s) + " s is not below 2^40");
  } else if (const auto target = target_of_bits(out.bits); !target) {
    in.reject(target.error().detail);
  }
  return in.ok() ? out : Header{};
}

Result<Header> decode_header(ByteView bytes) {
  Reader in(bytes);
  const Header out = decode_header(in);
  QUORATE_CHECK(in.finish());
  return out;
}

Digest id_of_encoded(ByteView encoded_header) { return sha256(sha256(encoded_header)); }

Digest id_of(const Header& header) { return id_of_encoded(encode(header)); }

}  // namespace quorate::crypto::work
