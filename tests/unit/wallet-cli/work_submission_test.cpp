// What the wallet says about work, and how deep it waits.
#include "wallet-cli/work_submission.hpp"

#include <catch2/catch.hpp>

#include "crypto/hash.hpp"
#include "rpc/client/work_proof.hpp"
#include "tests/unit/ledger/fixture.hpp"
#include "tests/unit/rpc/fake_branch.hpp"
#include "wallet-cli/submission.hpp"

namespace quorate::wallet {
namespace {

rpc::WorkChain chain_of_depth(std::uint32_t depth) {
  ledger::Genesis genesis = ledger::test::small_genesis();
  rpc::test::prove_by_work(genesis);
  genesis.consensus.engine_parameters["depth"] = depth;
  return rpc::WorkChain::open(genesis, std::nullopt).value();
}

}  // namespace

TEST_CASE("probabilities are written as people read them") {
  CHECK(percent(0.1) == "10 %");
  CHECK(percent(0.2) == "20 %");
  CHECK(percent(0.1564496) == "15.6 %");
  CHECK(percent(0.0233084) == "2.3 %");
  CHECK(percent(0.0005914) == "0.059 %");
  CHECK(chance(0.0000079) == "below 0.001 %");
  CHECK(percent(0) == "0 %");
  CHECK(percent(1) == "100 %");
}

TEST_CASE("the wallet says what was checked, and for whom the probability holds") {
  const rpc::ProvedByWork work{Height(12), 6, 5, Height(31)};
  CHECK(describe(work, 0.1) ==
        "6 blocks deep, result carried by 5 of them, work of 31 headers checked, reversal "
        "probability 0.059 % for an attacker with 10 % of the hash rate");
  // Whichever is more probable.
  CHECK(describe({Height(12), 6, 2, Height(31)}, 0.1) ==
        "6 blocks deep, result carried by 2 of them, work of 31 headers checked, probability of a "
        "false result 38.3 % for an attacker with 10 % of the hash rate");
  const nlohmann::json json = to_json(work, 0.3);
  CHECK(json["depth"] == 6);
  CHECK(json["carried"] == 5);
  CHECK(json["false_result"] == Approx(31 * std::pow(3.0 / 7.0, 5)));
  CHECK(json["headers_checked"] == 31);
  CHECK(json["reversal"]["attacker_share"] == 0.3);
  CHECK(json["reversal"]["exact"] == Approx(0.1564496));
  CHECK(json["reversal"]["nakamoto"] == Approx(0.1321112));
}

TEST_CASE("the progress never counts more blocks than it waits for") {
  CHECK(progress_text(Height(7), 3, 11, 0.1) ==
        "in block 7, 3 of 11 blocks deep: reversal probability 1.7 % for an attacker with 10 % of "
        "the hash rate");
  for (const std::uint64_t depth : {11U, 12U}) {
    const std::string text = progress_text(Height(7), depth, 11, 0.1);
    CHECK(text.find("in block 7, " + std::to_string(depth) +
                    " blocks deep, waiting until enough of them carry its result: ") == 0);
    CHECK(text.find(" of 11") == std::string::npos);
  }
}

TEST_CASE("it waits for the depth that was wished and for headers that carry the result") {
  const rpc::WorkChain chain = chain_of_depth(6);
  // Headers from 7 blocks on can carry it; four of them are as safe as six blocks.
  CHECK(depth_needed(chain, {}) == 6 + 1 + 4);
  CHECK(depth_needed(chain, {0.1, 30}) == 30);
  // A smaller wish does not make an unproved result proved.
  CHECK(depth_needed(chain, {0.1, 1}) == 6 + 1 + 1);
  CHECK(depth_needed(chain, {0.0, std::nullopt}) == 6 + 1 + 1);
  CHECK(depth_needed(chain, {0.3, std::nullopt}) == 6 + 1 + rpc::carried_enough(0.3, 6, Height(0)));
  CHECK(depth_needed(chain_of_depth(1), {}) == 1 + 1 + 1);
}

TEST_CASE("a result that too few headers carry is not called proved") {
  const rpc::WorkChain chain = chain_of_depth(6);
  CHECK(carriers_needed(chain, {}) == 4);
  const auto few = demand_carriers(chain, {Height(1), 10, 3, Height(10)}, {});
  REQUIRE_FALSE(few.has_value());
  CHECK(few.error().exit == ExitCode::timed_out);
  CHECK(few.error().message ==
        "not proved: the result of block 1 is carried by 3 more headers than contradict it; 4 are "
        "needed against an attacker with 10 % of the hash rate");
  CHECK(demand_carriers(chain, {Height(1), 11, 4, Height(11)}, {}));
  CHECK_FALSE(demand_carriers(chain, {Height(1), 11, 4, Height(11)}, {0.3, 20}));
  // Of the genesis this wallet has its own copy.
  CHECK(demand_carriers(chain, {Height(0), 5, 0, Height(5)}, {}));
}

TEST_CASE("a payment is an earlier one only if the block that was final before it still stands") {
  ledger::Genesis genesis = ledger::test::small_genesis();
  rpc::test::prove_by_work(genesis);
  rpc::WorkChain chain = rpc::WorkChain::open(genesis, std::nullopt).value();
  const auto follow = [&](const rpc::test::FakeBranch& branch) {
    const auto show = [&](Height from, std::uint32_t limit) { return branch.page(from, limit); };
    REQUIRE(chain.follow(show, genesis.genesis_time.saturating_add(100'000'000)).value());
  };
  const auto grow = [](rpc::test::FakeBranch& branch, std::uint64_t blocks, const char* mark) {
    for (std::uint64_t i = 0; i < blocks; ++i) branch.mine({}, crypto::sha256(as_bytes(mark)));
  };
  rpc::test::FakeBranch branch(genesis);
  grow(branch, 20, "shared");
  rpc::test::FakeBranch other = branch;
  grow(branch, 10, "left");
  follow(branch);
  Payment payment;
  for (const std::uint64_t height : {24U, 23U, 21U, 17U}) {
    payment.known.push_back({Height(height), chain.id(Height(height)).value()});
  }
  const auto earlier = [&](std::uint64_t height) {
    rpc::ProvedReceipt proved;
    proved.height = Height(height);
    return is_earlier(payment, proved, &chain);
  };
  CHECK(earlier(24));
  CHECK_FALSE(earlier(25));
  // Another branch from 21 on: its blocks are new, whatever their height.
  grow(other, 12, "right");
  follow(other);
  CHECK_FALSE(earlier(24));
  CHECK_FALSE(earlier(21));
  CHECK(earlier(17));
}

TEST_CASE("what may happen is never called impossible") {
  CHECK(chance(0.0) == "below 0.001 %");  // what a great depth leaves of a double
  CHECK(chance(0.000009) == "below 0.001 %");
  CHECK(chance(0.0005914) == "0.059 %");
  CHECK(chance(0.5) == "50 %");
}

TEST_CASE("its patience grows with the depth and is never short") {
  const rpc::WorkChain chain = chain_of_depth(6);
  CHECK(patience_for(chain, {}) == std::chrono::seconds(48));
  CHECK(patience_for(chain, {0.1, 60}) == std::chrono::seconds(244));
  CHECK(patience_for(chain_of_depth(1), {}) == std::chrono::seconds(30));
}

}  // namespace quorate::wallet
