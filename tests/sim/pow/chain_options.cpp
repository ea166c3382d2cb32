#include "tests/sim/pow/chain_options.hpp"

#include "crypto/work/bits.hpp"

namespace quorate::sim::pow {
namespace {

// Difficulty may fall to a sixteenth of where it begins.
constexpr std::uint64_t kEasiest = 16;

}  // namespace

ledger::ConsensusParameters parameters_of(const ChainOptions& chain) {
  const std::uint64_t expected = chain.hashes_per_second * chain.interval_ms / 1000;
  ledger::ConsensusParameters out;
  out.engine = "pow";
  out.engine_parameters = {
      {"interval_ms", chain.interval_ms},
      {"depth", chain.depth},
      {"half_life_s", chain.half_life_s},
      {"initial_bits", crypto::work::bits_for(expected)},
      {"limit_bits", crypto::work::bits_for(expected / kEasiest)},
  };
  return out;
}

std::uint64_t hashes_per_second(const ledger::ConsensusParameters& parameters) {
  const auto bits = static_cast<std::uint32_t>(parameters.engine_parameters.at("initial_bits"));
  return crypto::work::expected_hashes(bits) * 1000 /
         parameters.engine_parameters.at("interval_ms");
}

}  // namespace quorate::sim::pow
