// "host:port" and "[v6]:port" texts. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/result.hpp"

namespace quorate::node {

struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
};

// Error invalid_argument naming the text and what it should look like.
Result<Endpoint> parse_endpoint(std::string_view text);

}  // namespace quorate::node
