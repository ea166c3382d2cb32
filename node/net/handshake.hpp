// The first frame each side sends once TLS stands: who it is and what it speaks. By then TLS has
// proved which node key the other side holds; check_hello decides whether that key, its chain and
// its version belong here. A refusal goes back as text, so that both logs say why.
//   hello = magic u32 | wire_version u32 | chain_id 32 | replica u32 | storage_version u32 |
//           name text <= 32 | software text <= 64
// Magic and wire_version keep their place in every version, so that any two versions can name each
// other. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/bytes.hpp"
#include "crypto/base/strong_int.hpp"

namespace quorate::node {

inline constexpr std::uint32_t kWireMagic = 0x50545251;  // "QRTP"
inline constexpr std::uint32_t kWireVersion = 1;

struct Hello {
  std::uint32_t wire_version = kWireVersion;
  Digest chain_id;  // this and what follows stays empty when wire_version is not ours
  ReplicaId replica;
  std::uint32_t storage_version = 0;
  std::string name;
  std::string software;
  bool operator==(const Hello&) const = default;
};

// A node of the genesis as the transport knows it.
struct Member {
  std::string name;
  PublicKey node_key;
};

Bytes encode_hello(const Hello& hello);
// Of another wire version only the version is read. Error bad_encoding.
Result<Hello> decode_hello(ByteView body);

Bytes encode_refusal(std::string_view reason);
// Printable ASCII only: the text of a peer ends up in a log.
std::string decode_refusal(ByteView body);

// Which side of the connection this node is on. A node dials those with a higher id and waits for
// those with a lower one, so that two nodes never hold two connections.
struct Encounter {
  PublicKey peer_key;                // proved by TLS
  std::optional<ReplicaId> dialled;  // whom this node meant to reach; none when it was dialled
};

// The replica id of the peer, or error rejected naming both sides: wire version, chain, a node key
// that is not in the genesis, an id that is not its key's, the wrong direction.
Result<ReplicaId> check_hello(const Hello& ours, const Hello& theirs, const Encounter& encounter,
                              const std::vector<Member>& members);

}  // namespace quorate::node
