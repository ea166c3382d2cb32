// Which TCP ports of the loopback interface are free. A port may be taken between the question and
// its use; asking first is for the clear message and for writing nothing when the answer is no.
#pragma once

#include <cstdint>
#include <vector>

#include "testnet/manifest.hpp"

namespace quorate::testnet {

bool port_is_free(std::uint16_t port);
// Whether other ports can be had by an option, or are written in the data of an existing testnet.
enum class PortChoice { open, recorded };
// Error unavailable that names every busy port, its node and purpose, and what helps. `wanted` are
// indices into `nodes`.
Result<void> check_ports(const std::vector<NodeEntry>& nodes,
                         const std::vector<std::size_t>& wanted, PortChoice choice);

}  // namespace quorate::testnet
