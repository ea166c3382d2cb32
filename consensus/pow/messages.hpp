// The messages of the proof-of-work engine: their fields and their one encoding.
//
// On the wire every message is
//   type u8 || fields
// in the canonical encoding (crypto/codec). Nothing is signed: a header proves itself by the work
// in it, and a payload by the digest that its header names. Decoding checks form and caps;
// PowMessageVerifier checks the work. Plain values; any thread.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "crypto/base/bytes.hpp"
#include "crypto/base/result.hpp"
#include "crypto/base/strong_int.hpp"
#include "crypto/codec/reader.hpp"
#include "crypto/codec/writer.hpp"
#include "crypto/work/header.hpp"

namespace quorate::consensus::pow {

using Payload = std::shared_ptr<const Bytes>;

// A header beside its own id, so that the id is computed once.
struct Identified {
  crypto::work::Header header;
  Digest id;
};
Identified identify(const crypto::work::Header& header);

// Pushed to peers: the newest headers of the sender's branch, each the parent of the next.
struct Announce {
  std::vector<Identified> headers;
};

// A block that the asking peer has. The height spares the asked one a search and is not believed.
struct Waypoint {
  Height height;
  Digest id;
};
// Which headers follow the first of these that is on the asked peer's branch? Newest first; the
// last is the genesis block (height 0, id zero).
struct AskHeaders {
  std::vector<Waypoint> locator;
};
// The answer, each the parent of the next; none when there is nothing new. `more`: the sender has
// further ones.
struct Headers {
  bool more = false;
  std::vector<Identified> headers;
};

// A whole block: pushed by whoever mined it, or the answer to AskBlocks.
struct FullBlock {
  Identified header;
  Payload payload;
};
struct AskBlocks {
  std::vector<Digest> ids;
};

using Message = std::variant<Announce, AskHeaders, Headers, FullBlock, AskBlocks>;

constexpr std::uint32_t kAnnouncedMax = 8;
constexpr std::uint32_t kLocatorMax = 64;
constexpr std::uint32_t kHeadersMax = 256;
constexpr std::uint32_t kAskedBlocksMax = 16;

Bytes encode(const Message& message);
Result<Message> decode(ByteView bytes, std::uint32_t payload_bytes_max);
// For logs and metrics; static lifetime.
const char* type_name(const Message& message);

// Parts that the durable records share.
void encode(crypto::Writer& out, const FullBlock& block);
FullBlock decode_block(crypto::Reader& in, std::uint32_t payload_bytes_max);

// H("quorate/payload/1", payload).
Digest payload_digest(ByteView payload);

}  // namespace quorate::consensus::pow
