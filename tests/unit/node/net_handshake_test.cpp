#include "node/net/handshake.hpp"

#include <catch2/catch.hpp>

#include "node/net/backoff.hpp"
#include "node/net/frame.hpp"
#include "node/net/peer_address.hpp"

namespace quorate::node {
namespace {

PublicKey key(std::uint8_t first) {
  PublicKey out;
  out.bytes[0] = first;
  return out;
}

Digest chain(std::uint8_t first) {
  Digest out;
  out.bytes[0] = first;
  return out;
}

const std::vector<Member> kMembers = {
    {"node0", key(1)}, {"node1", key(2)}, {"node2", key(3)}, {"node3", key(4)}};

Hello hello(std::uint32_t replica) {
  return {.wire_version = kWireVersion,
          .chain_id = chain(7),
          .replica = ReplicaId(replica),
          .storage_version = 1,
          .name = "node" + std::to_string(replica),
          .software = "quorate-node 0.1.0"};
}

std::string refusal(const Hello& ours, const Hello& theirs, const Encounter& encounter) {
  const auto checked = check_hello(ours, theirs, encounter, kMembers);
  REQUIRE(!checked.has_value());
  return checked.error().detail;
}

TEST_CASE("A hello survives its encoding, and nothing may follow it") {
  Bytes bytes = encode_hello(hello(2));
  CHECK(bytes.size() <= kHelloBytesMax);
  CHECK(decode_hello(bytes).value() == hello(2));
  bytes.push_back(0);
  CHECK(!decode_hello(bytes).has_value());
  for (std::size_t size = 0; size + 1 < bytes.size(); ++size) {
    CHECK(!decode_hello(ByteView(bytes.data(), size)).has_value());
  }
}

TEST_CASE("Of another wire version only the version is read") {
  Hello other = hello(2);
  other.wire_version = 9;
  Bytes bytes = encode_hello(other);
  bytes.resize(11);
  const auto read = decode_hello(bytes);
  REQUIRE(read.has_value());
  CHECK(read->wire_version == 9);
  CHECK(read->name.empty());
}

TEST_CASE("The lower id dials and the higher id answers") {
  CHECK(check_hello(hello(1), hello(2), {key(3), ReplicaId(2)}, kMembers) == ReplicaId(2));
  CHECK(check_hello(hello(2), hello(1), {key(2), std::nullopt}, kMembers) == ReplicaId(1));
  CHECK(refusal(hello(1), hello(2), {key(3), std::nullopt}).find("lower replica id dials") !=
        std::string::npos);
}

TEST_CASE("Every refusal names both sides") {
  Hello theirs = hello(1);
  theirs.chain_id = chain(8);
  const std::string chains = refusal(hello(2), theirs, {key(2), std::nullopt});
  CHECK(chains.find(to_0x(chain(7))) != std::string::npos);
  CHECK(chains.find(to_0x(chain(8))) != std::string::npos);
  CHECK(chains.find("node1") != std::string::npos);
  CHECK(chains.find("node2") != std::string::npos);

  theirs = hello(1);
  theirs.wire_version = 4;
  const std::string versions = refusal(hello(2), theirs, {key(2), std::nullopt});
  CHECK(versions.find("wire version " + std::to_string(kWireVersion) + " (ours") !=
        std::string::npos);
  CHECK(versions.find("4 (theirs)") != std::string::npos);

  const std::string stranger = refusal(hello(2), hello(1), {key(99), std::nullopt});
  CHECK(stranger.find(to_0x(key(99))) != std::string::npos);
  CHECK(stranger.find("not in the genesis of 'node2'") != std::string::npos);

  const std::string wrong_id = refusal(hello(2), hello(1), {key(1), std::nullopt});
  CHECK(wrong_id.find("holds the node key of replica 0") != std::string::npos);

  const std::string itself = refusal(hello(2), hello(2), {key(3), std::nullopt});
  CHECK(itself.find("leads back to 'node2'") != std::string::npos);

  const std::string elsewhere = refusal(hello(0), hello(2), {key(3), ReplicaId(1)});
  CHECK(elsewhere.find("dialled replica 1") != std::string::npos);
  CHECK(elsewhere.find("node2") != std::string::npos);
}

TEST_CASE("What a peer says is cleaned before it reaches a log") {
  const std::string nasty = "line\nbreak \x1b[31m red\xff";
  CHECK(decode_refusal(encode_refusal(nasty)) == "line?break ?[31m red?");
  CHECK(encode_refusal(std::string(5000, 'x')).size() == kRefusalBytesMax);
}

TEST_CASE("The backoff doubles to its cap, jitters within half a step and starts anew") {
  using std::chrono::milliseconds;
  Backoff backoff(milliseconds(100), milliseconds(2000));
  CHECK(backoff.next(0) == milliseconds(50));
  CHECK(backoff.next(100) == milliseconds(200));
  for (int i = 0; i < 10; ++i) {
    const auto wait = backoff.next(static_cast<std::uint32_t>(i) * 7919U);
    CHECK(wait >= milliseconds(200));
    CHECK(wait <= milliseconds(2000));
  }
  CHECK(backoff.next(1000) == milliseconds(2000));
  backoff.reset();
  CHECK(backoff.next(50) == milliseconds(100));
}

TEST_CASE("Addresses are read strictly") {
  CHECK(parse_peer_address("127.0.0.1:30645")->port == 30645);
  CHECK(parse_peer_address("[::1]:1")->host == "::1");
  CHECK(parse_peer_address("node-3.example:65535")->host == "node-3.example");
  for (const char* bad : {"", ":1", "host", "host:", "host:65536", "host:1x", "::1:5", "[]:1"}) {
    CHECK(parse_peer_address(bad).error().code == Errc::invalid_argument);
  }
}

}  // namespace
}  // namespace quorate::node
