// Which TCP ports of the loopback interface are free. A port may be taken between the question and
// its use; asking first is for the clear message and for writing nothing when the answer is no.
#pragma once

#include <cstdint>
#include <vector>

#include "testnet/manifest.hpp"

namespace quorate::testnet {

bool port_is_free(std::uint16_t port);
// Error unavailable that names every busy port, its node and purpose, and the options that choose
// others. `wanted` are indices into `nodes`.
Result<void> check_ports(const std::vector<NodeEntry>& nodes,
                         const std::vector<std::size_t>& wanted);

}  // namespace quorate::testnet
