#include "tests/sim/world.hpp"

#include <cstdio>

#include "node/engine_config.hpp"

namespace quorate::sim {
namespace {

constexpr std::uint32_t kAccounts = 9;  // the last one pays for the heal phase alone
constexpr std::uint64_t kBalance = 1'000'000;

void fold(std::uint64_t& hash, std::uint64_t value) {
  for (unsigned shift = 0; shift < 64; shift += 8) {
    hash ^= (value >> shift) & 0xffU;
    hash *= 0x100000001b3U;
  }
}

}  // namespace

World::World(const Options& options_in, Prng& prng)
    : options(options_in), keys(prng.fork(), options_in.real_signatures) {
  genesis.chain_name = "sim-" + std::to_string(options.seed);
  genesis.genesis_time = WallMs(1'700'000'000'000);
  // Small windows, so that checkpoints and catch-up beyond them happen within a hundred blocks.
  genesis.consensus.checkpoint_interval = prng.between(4, 12);
  genesis.consensus.proposals_in_flight = static_cast<std::uint32_t>(prng.between(3, 8));
  genesis.consensus.payload_bytes_max = 64U << 10U;
  genesis.consensus.payload_transactions_max = static_cast<std::uint32_t>(prng.between(4, 32));
  if (options.parameters) genesis.consensus = *options.parameters;
  for (std::uint32_t i = 0; i < options.replicas; ++i) {
    validators.push_back(&keys.make_signer(true));
    ledger::GenesisValidator validator;
    validator.name = "node" + std::to_string(i);
    validator.validator_key = validators.back()->public_key();
    validator.node_key = keys.make_signer(false).public_key();
    validator.p2p = "127.0.0.1:" + std::to_string(30000 + i);
    genesis.validators.push_back(validator);
    machines.push_back(ReplicaId(i));
  }
  conduct.assign(options.replicas, Conduct::correct);
  for (std::uint32_t i = 0; i < kAccounts; ++i) {
    accounts.push_back(&keys.make_signer(false));
    genesis.accounts.push_back({crypto::address_of(accounts.back()->public_key()), kBalance});
  }
  const auto valid = ledger::validate(genesis, false);
  if (!valid) violate("contract", "the simulator's genesis is invalid: " + valid.error().detail);
  membership = ledger::membership(genesis);
  engine_config = node::engine_config(genesis, std::nullopt);
}

void World::violate(std::string invariant, std::string detail) {
  if (violation) return;
  const auto expected = tolerated.find(invariant);
  if (expected != tolerated.end()) {
    ++expected->second;
    return;
  }
  violation = Violation{std::move(invariant), std::move(detail)};
}

std::uint32_t World::faulty() const {
  std::uint32_t count = 0;
  for (const Conduct replica : conduct) count += replica == Conduct::correct ? 0 : 1;
  return count;
}

void World::trace(const char* what, std::uint32_t replica, std::uint64_t a, std::uint64_t b) {
  const auto now = static_cast<std::uint64_t>(timeline.now().since_origin.count());
  fold(trace_hash, now);
  for (const char* letter = what; *letter != 0; ++letter) {
    trace_hash = (trace_hash ^ static_cast<std::uint8_t>(*letter)) * 0x100000001b3U;
  }
  fold(trace_hash, replica);
  fold(trace_hash, a);
  fold(trace_hash, b);
  if (!options.trace) return;
  std::printf("%llu.%06llu ms  r%u  %-18s %llu %016llx\n",
              static_cast<unsigned long long>(now / 1'000'000),
              static_cast<unsigned long long>(now % 1'000'000), replica, what,
              static_cast<unsigned long long>(a), static_cast<unsigned long long>(b));
}

std::uint64_t brief(const Digest& digest) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < 8; ++i) out = (out << 8U) | digest.bytes.at(i);
  return out;
}

}  // namespace quorate::sim
