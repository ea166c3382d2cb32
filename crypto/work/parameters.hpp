// What a chain that is ordered by work agrees on besides its members: the engine parameters of its
// genesis, by name. The one parser for nodes and wallets. Plain values; any thread.
//
//   interval_ms    mean time between blocks that the difficulty aims at
//   depth          a block is committed when so many blocks stand on it, its own included
//   half_life_s    a chain this far behind its schedule halves its difficulty (asert.hpp)
//   initial_bits   target of the first block: about interval times the hash rate of all miners
//   limit_bits     the easiest target there may be
//
// The defaults suit four nodes that share a laptop: 2^20 hashes for the first block are two seconds
// for miners of 500,000 hashes per second together. With F times that hash rate the interval is
// 1 + (1/F - 1) * 2^(-t/half_life) of its target after the time t: ten times of it has settled
// after four half-lives, a tenth of it after six. Below 32,000 hashes per second the limit of 2^16
// hashes keeps blocks slower than the interval; it is also what a made-up header costs at least.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "crypto/base/result.hpp"

namespace quorate::crypto::work {

struct Parameters {
  std::uint64_t interval_ms = 2000;
  std::uint32_t depth = 6;
  std::uint64_t half_life_s = 120;
  std::uint32_t initial_bits = 0x1e0fffff;
  std::uint32_t limit_bits = 0x1f00ffff;
  bool operator==(const Parameters&) const = default;
};

// Names that are missing keep their default. Error invalid_argument, naming the parameter and what
// it may be; for an unknown name also those that exist.
Result<Parameters> parse_parameters(const std::map<std::string, std::uint64_t>& named);
// Every parameter by its name: parse_parameters gives `parameters` back.
std::map<std::string, std::uint64_t> to_named(const Parameters& parameters);

}  // namespace quorate::crypto::work
