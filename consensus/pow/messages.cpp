#include "consensus/pow/messages.hpp"

#include "crypto/hash.hpp"

namespace quorate::consensus::pow {

namespace {

using crypto::Reader;
using crypto::Writer;

enum class WireType : std::uint8_t {
  announce = 1,
  ask_headers = 2,
  headers = 3,
  block = 4,
  ask_blocks = 5,
};

void put_headers(Writer& out, const std::vector<Identified>& headers) {
  out.u32(static_cast<std::uint32_t>(headers.size()));
  for (const Identified& entry : headers) crypto::work::encode(out, entry.header);
}

Identified take_header(Reader& in) {
  const crypto::work::Header header = crypto::work::decode_header(in);
  return in.ok() ? identify(header) : Identified{header, {}};
}

// Each is the parent of the next, as a branch is.
std::vector<Identified> take_headers(Reader& in, std::uint32_t min, std::uint32_t max) {
  std::vector<Identified> out;
  const std::uint32_t count = in.count(min, max, crypto::work::kHeaderSize);
  out.reserve(count);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    Identified next = take_header(in);
    if (i > 0 && in.ok()) {
      const Identified& parent = out.back();
      if (next.header.parent != parent.id ||
          next.header.height != parent.header.height.saturating_add(1)) {
        in.reject("headers that do not follow one another");
      }
    }
    out.push_back(std::move(next));
  }
  return out;
}

bool take_flag(Reader& in) {
  const std::uint8_t value = in.u8();
  if (value > 1) in.reject("a flag that is neither 0 nor 1");
  return value == 1;
}

struct Encoder {
  Writer& out;

  void begin(WireType type) { out.u8(static_cast<std::uint8_t>(type)); }
  void operator()(const Announce& m) {
    begin(WireType::announce);
    put_headers(out, m.headers);
  }
  void operator()(const AskHeaders& m) {
    begin(WireType::ask_headers);
    out.u32(static_cast<std::uint32_t>(m.locator.size()));
    for (const Waypoint& point : m.locator) {
      out.integer_of(point.height);
      out.raw(point.id);
    }
  }
  void operator()(const Headers& m) {
    begin(WireType::headers);
    out.u8(m.more ? 1 : 0);
    put_headers(out, m.headers);
  }
  void operator()(const FullBlock& m) {
    begin(WireType::block);
    encode(out, m);
  }
  void operator()(const AskBlocks& m) {
    begin(WireType::ask_blocks);
    out.u32(static_cast<std::uint32_t>(m.ids.size()));
    for (const Digest& id : m.ids) out.raw(id);
  }
};

AskHeaders take_ask_headers(Reader& in) {
  AskHeaders out;
  const std::uint32_t count = in.count(1, kLocatorMax, sizeof(std::uint64_t) + Digest::kSize);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    Waypoint point;
    point.height = in.integer_of<Height>();
    point.id = in.fixed<Digest>();
    if (i > 0 && point.height >= out.locator.back().height) {
      in.reject("a locator whose heights do not fall");
    }
    out.locator.push_back(point);
  }
  const bool ends_at_genesis = !out.locator.empty() && out.locator.back().height == Height(0) &&
                               out.locator.back().id.is_zero();
  if (in.ok() && !ends_at_genesis) in.reject("a locator that does not end at the genesis block");
  return out;
}

Headers take_headers_answer(Reader& in) {
  Headers out;
  out.more = take_flag(in);
  out.headers = take_headers(in, 0, kHeadersMax);
  if (in.ok() && out.more && out.headers.empty()) in.reject("more headers behind none");
  return out;
}

AskBlocks take_ask_blocks(Reader& in) {
  AskBlocks out;
  const std::uint32_t count = in.count(1, kAskedBlocksMax, Digest::kSize);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) out.ids.push_back(in.fixed<Digest>());
  return out;
}

Message take_message(Reader& in, std::uint32_t payload_bytes_max) {
  const std::uint8_t type = in.u8();
  switch (static_cast<WireType>(type)) {
    case WireType::announce: return Announce{take_headers(in, 1, kAnnouncedMax)};
    case WireType::ask_headers: return take_ask_headers(in);
    case WireType::headers: return take_headers_answer(in);
    case WireType::block: return decode_block(in, payload_bytes_max);
    case WireType::ask_blocks: return take_ask_blocks(in);
  }
  in.reject("unknown message type " + std::to_string(type));
  return AskBlocks{};
}

struct TypeName {
  const char* operator()(const Announce&) const { return "announce"; }
  const char* operator()(const AskHeaders&) const { return "ask_headers"; }
  const char* operator()(const Headers&) const { return "headers"; }
  const char* operator()(const FullBlock&) const { return "block"; }
  const char* operator()(const AskBlocks&) const { return "ask_blocks"; }
};

}  // namespace

Identified identify(const crypto::work::Header& header) {
  return {header, crypto::work::id_of(header)};
}

Bytes encode(const Message& message) {
  Writer out;
  std::visit(Encoder{out}, message);
  return std::move(out).take();
}

Result<Message> decode(ByteView bytes, std::uint32_t payload_bytes_max) {
  Reader in(bytes);
  Message out = take_message(in, payload_bytes_max);
  QUORATE_CHECK(in.finish());
  return out;
}

const char* type_name(const Message& message) { return std::visit(TypeName{}, message); }

void encode(Writer& out, const FullBlock& block) {
  crypto::work::encode(out, block.header.header);
  out.bytes(*block.payload);
}

FullBlock decode_block(Reader& in, std::uint32_t payload_bytes_max) {
  FullBlock out;
  out.header = take_header(in);
  out.payload = std::make_shared<const Bytes>(to_bytes(in.bytes(payload_bytes_max)));
  return out;
}

Digest payload_digest(ByteView payload) { return crypto::hash("quorate/payload/1", {payload}); }

}  // namespace quorate::consensus::pow
