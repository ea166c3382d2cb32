#include "node/net/handshake.hpp"

#include <algorithm>

#include "crypto/codec/reader.hpp"
#include "crypto/codec/writer.hpp"
#include "node/net/frame.hpp"

namespace quorate::node {

namespace {

constexpr std::size_t kNameBytesMax = 32;
constexpr std::size_t kSoftwareBytesMax = 64;

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return out;
}

std::string describe(const Hello& hello) {
  return "'" + printable(hello.name) + "' (replica " + std::to_string(hello.replica.value()) +
         ", " + printable(hello.software) + ")";
}

tl::unexpected<Error> refuse(std::string text) { return fail(Errc::rejected, std::move(text)); }

std::string dial_rule(const Hello& ours, const Hello& theirs) {
  return "the node with the lower replica id dials: ours is " + describe(ours) + ", theirs is " +
         describe(theirs);
}

}  // namespace

Bytes encode_hello(const Hello& hello) {
  crypto::Writer out;
  out.u32(kWireMagic);
  out.u32(hello.wire_version);
  out.raw(hello.chain_id);
  out.integer_of(hello.replica);
  out.u32(hello.storage_version);
  out.text(std::string_view(hello.name).substr(0, kNameBytesMax));
  out.text(std::string_view(hello.software).substr(0, kSoftwareBytesMax));
  return std::move(out).take();
}

Result<Hello> decode_hello(ByteView body) {
  crypto::Reader in(body);
  if (in.u32() != kWireMagic) in.reject("the peer does not speak the Quorate protocol");
  Hello hello;
  hello.wire_version = in.u32();
  if (in.ok() && hello.wire_version != kWireVersion) return hello;
  hello.chain_id = in.fixed<Digest>();
  hello.replica = in.integer_of<ReplicaId>();
  hello.storage_version = in.u32();
  hello.name = in.text(kNameBytesMax);
  hello.software = in.text(kSoftwareBytesMax);
  QUORATE_CHECK(in.finish());
  return hello;
}

Bytes encode_refusal(std::string_view reason) {
  return to_bytes(as_bytes(reason.substr(0, kRefusalBytesMax)));
}

std::string decode_refusal(ByteView body) {
  return printable({reinterpret_cast<const char*>(body.data()), body.size()});
}

Result<ReplicaId> check_hello(const Hello& ours, const Hello& theirs, const Encounter& encounter,
                              const std::vector<Member>& members) {
  if (theirs.wire_version != ours.wire_version) {
    return refuse("wire version " + std::to_string(ours.wire_version) + " (ours, " +
                  describe(ours) + ") and " + std::to_string(theirs.wire_version) +
                  " (theirs) do not match; run the same release on both nodes");
  }
  if (theirs.chain_id != ours.chain_id) {
    return refuse("another chain: ours is " + to_0x(ours.chain_id) + " on " + describe(ours) +
                  ", theirs is " + to_0x(theirs.chain_id) + " on " + describe(theirs) +
                  "; give both nodes the same genesis file");
  }
  if (encounter.peer_key == members.at(ours.replica.value()).node_key) {
    return refuse("the connection leads back to " + describe(ours) +
                  " itself, or another node uses its node key");
  }
  const auto found = std::find_if(members.begin(), members.end(), [&](const Member& member) {
    return member.node_key == encounter.peer_key;
  });
  if (found == members.end()) {
    return refuse("a stranger: node key " + to_0x(encounter.peer_key) + " of " + describe(theirs) +
                  " is not in the genesis of " + describe(ours));
  }
  const ReplicaId id(static_cast<std::uint32_t>(found - members.begin()));
  if (theirs.replica != id) {
    return refuse(describe(theirs) + " holds the node key of replica " +
                  std::to_string(id.value()) + " ('" + found->name + "') in the genesis of " +
                  describe(ours));
  }
  if (encounter.dialled) {
    if (*encounter.dialled == id) return id;
    return refuse("dialled replica " + std::to_string(encounter.dialled->value()) + " from " +
                  describe(ours) + " and reached " + describe(theirs) +
                  "; check the p2p addresses");
  }
  if (id > ours.replica) return refuse(dial_rule(ours, theirs));
  return id;
}

}  // namespace quorate::node
