// Where a peer listens: "host:port" or "[v6]:port". Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/result.hpp"

namespace quorate::node {

struct PeerAddress {
  std::string host;
  std::uint16_t port = 0;
};

// Error invalid_argument naming the text and what it should look like.
Result<PeerAddress> parse_peer_address(std::string_view text);

}  // namespace quorate::node
