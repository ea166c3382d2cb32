#include "testnet/mining.hpp"

#include <catch2/catch.hpp>

#include "crypto/keys.hpp"
#include "crypto/work/bits.hpp"
#include "crypto/work/parameters.hpp"
#include "node/engine_config.hpp"

namespace quorate::testnet {

namespace {

using crypto::work::expected_hashes;

double one_million(const consensus::PuzzleSolver&) { return 1e6; }

ledger::Genesis four_miners() {
  ledger::Genesis genesis;
  genesis.chain_name = "local-mined";
  genesis.consensus.engine = "pow";
  for (int i = 0; i < 4; ++i) {
    genesis.validators.push_back({"node" + std::to_string(i),
                                  crypto::ValidatorKey::random().public_key(),
                                  crypto::NodeKey::random().public_key(), "127.0.0.1:1"});
  }
  return genesis;
}

crypto::work::Parameters parameters_of(const ledger::Genesis& genesis) {
  const auto parsed = crypto::work::parse_parameters(genesis.consensus.engine_parameters);
  REQUIRE(parsed.has_value());
  return *parsed;
}

}  // namespace

TEST_CASE("the first block is as hard as the nodes' hash rate makes one interval") {
  auto genesis = four_miners();
  genesis.consensus.engine_parameters = {{"interval_ms", 500}};
  REQUIRE(choose_difficulty(genesis, {.duty_percent = 5}, one_million).has_value());
  const auto chosen = parameters_of(genesis);
  // 4 nodes, 5 % of a million each, half a second.
  CHECK(expected_hashes(chosen.initial_bits) == Approx(100'000).epsilon(0.01));
  CHECK(expected_hashes(chosen.limit_bits) == Approx(100'000 / 256).epsilon(0.01));
  CHECK(node::engine_traits(genesis).has_value());
}

TEST_CASE("what is named is kept, and the rest fits it") {
  auto genesis = four_miners();
  auto& named = genesis.consensus.engine_parameters;
  SECTION("the first target, easier than the default limit") {
    named["initial_bits"] = crypto::work::bits_for(1000);
    REQUIRE(choose_difficulty(genesis, {}, one_million).has_value());
    CHECK(parameters_of(genesis).initial_bits == crypto::work::bits_for(1000));
    CHECK(expected_hashes(parameters_of(genesis).limit_bits) <= 4);
  }
  SECTION("a limit that is harder than what fits") {
    named["limit_bits"] = crypto::work::bits_for(1'000'000'000);
    REQUIRE(choose_difficulty(genesis, {}, one_million).has_value());
    CHECK(parameters_of(genesis).initial_bits == parameters_of(genesis).limit_bits);
  }
  SECTION("no target at all") {
    named["initial_bits"] = 0;
    const auto refused = choose_difficulty(genesis, {}, one_million);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::invalid_argument);
  }
}

TEST_CASE("instant mining finds the first nonces, and engines that vote get no difficulty") {
  auto genesis = four_miners();
  REQUIRE(choose_difficulty(genesis, {.duty_percent = 5, .instant_ms = 50}, one_million));
  CHECK(expected_hashes(parameters_of(genesis).initial_bits) <= 2);
  genesis.consensus.engine = "pbft";
  genesis.consensus.engine_parameters.clear();
  REQUIRE(choose_difficulty(genesis, {}, one_million).has_value());
  CHECK(genesis.consensus.engine_parameters.empty());
}

TEST_CASE("a hash rate is measured with the solver that the nodes use") {
  const auto genesis = four_miners();
  const crypto::Ed25519Verifier verifier;
  const auto parts = consensus::make_engine(node::engine_config(genesis, {}), nullptr, verifier);
  REQUIRE(parts.has_value());
  CHECK(measure_hash_rate(*parts->puzzle_solver) > 1000);
}

}  // namespace quorate::testnet
