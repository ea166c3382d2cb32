// The private-fork attack, tried out on the real engines: an attacker with a share of the hash rate
// mines a branch in secret from the block before a payment, the payee waits until the payment is so
// deep and final, and the attacker shows his branch as soon as it is longer. Whether the honest
// engine then takes back what it had called final. Deterministic; any thread.
#pragma once

#include <cstdint>

namespace quorate::testnet::comparison {

// The attacker owns one block in advance and wins when he is ahead, which is the game of the
// formula, where he starts level and wins at equality. He gives up when his chance is below one in
// a thousand.
bool private_fork_succeeds(double attacker_share, std::uint32_t depth, std::uint64_t seed);

}  // namespace quorate::testnet::comparison
