// Receipts and accounts that work proves, shown by a node that lies where it can.
#include "rpc/client/work_proof.hpp"

#include <catch2/catch.hpp>

#include "crypto/work/reversal.hpp"
#include "rpc/client/receipt_proof.hpp"
#include "tests/unit/rpc/dispatcher_fixture.hpp"

using namespace quorate;
using namespace quorate::rpc;
using quorate::rpc::test::FakeBranch;
using quorate::rpc::test::kFakeDepth;

namespace {

// A payment in block 1 and one that fails in block 2, on the fake node's chain.
struct World : quorate::rpc::test::DispatcherFixture {
  Bytes paid = backend.transfer(0, 1, 1, 25);
  Bytes failed = backend.transfer(1, 2, 2, 900'000);
  TrustedChain trusted = TrustedChain::from_genesis(backend.genesis(), backend.chain_id()).value();
  WorkChain chain = WorkChain::open(backend.genesis(), std::nullopt).value();

  World() : DispatcherFixture({.threaded = false, .work = true}) {
    backend.submit({paid}, [](const auto&) {});
    backend.make_block();
    // Each can be paid for when it is submitted, but not both when they are executed.
    backend.submit({backend.transfer(1, 1, 2, 900'000), failed}, [](const auto&) {});
    backend.make_block();
  }
  void follow() {
    const auto source = [this](Height from, std::uint32_t limit) -> Result<std::vector<Bytes>> {
      return backend.work_headers(from, limit).value().headers;
    };
    REQUIRE(chain.follow(source, backend.genesis().genesis_time.saturating_add(1'000'000'000)));
  }
  Json proof(const Bytes& tx) {
    return result("tx_getProof", {{"transaction_id", to_0x(backend.id_of(tx))}});
  }
  Result<ProvedReceipt> check(const Json& answer, const Bytes& tx) {
    return check_transaction_proof(chain, answer, backend.id_of(tx));
  }
};

// The proof with another outcome, under a header that is made to fit.
Json with_outcome(Json answer, ledger::Outcome outcome, ledger::Reason reason) {
  ledger::Receipt receipt = receipt_from_json(answer["receipt"]).value();
  receipt.outcome = outcome;
  receipt.reason = reason;
  const Digest leaf = ledger::receipt_leaf(receipt);
  ledger::Header header = header_from_json(answer["headers"][0]).value();
  header.transaction_count = 1;
  header.receipts_root = ledger::merkle_root({leaf});
  answer["receipt"] = to_json(receipt);
  answer["path"] = to_json(ledger::merkle_prove({leaf}, 0));
  answer["headers"] = Json::array({to_json(header)});
  return answer;
}

}  // namespace

TEST_CASE("a receipt is proved once a later work header carries it, the better the more do") {
  World world;
  world.backend.make_blocks(kFakeDepth);  // the tip is 4, and carries block 1
  world.follow();
  const auto proved = world.check(world.proof(world.paid), world.paid);
  REQUIRE(proved.has_value());
  CHECK(proved->height == Height(1));
  CHECK(proved->receipt.outcome == ledger::Outcome::succeeded);
  REQUIRE(proved->work);
  CHECK(proved->work->depth == 4);
  CHECK(proved->work->carried == 1);
  CHECK(proved->work->tip == Height(4));
  world.backend.make_blocks(5);
  // What the node knows and this client has not checked yet counts for nothing.
  CHECK(world.check(world.proof(world.paid), world.paid)->work->carried == 1);
  world.follow();
  CHECK(world.check(world.proof(world.paid), world.paid)->work->carried == 6);
  CHECK(world.check(world.proof(world.paid), world.paid)->work->depth == 9);
}

TEST_CASE("a proof whose carrier is not known yet has to wait") {
  World world;
  world.follow();
  world.backend.make_blocks(kFakeDepth);
  const auto early = world.check(world.proof(world.paid), world.paid);
  REQUIRE_FALSE(early.has_value());
  CHECK(early.error().code == Errc::unavailable);
  CHECK(early.error().detail.find("height 4") != std::string::npos);
}

TEST_CASE("a lie in any part of the proof is found") {
  World world;
  world.backend.make_blocks(8);
  world.follow();
  const Json honest = world.proof(world.failed);
  REQUIRE(world.check(honest, world.failed).has_value());
  CHECK(world.check(honest, world.failed)->receipt.outcome == ledger::Outcome::failed);
  CHECK(world.check(honest, world.paid).error().code == Errc::conflict);
  const auto refused = [&](const std::function<void(Json&)>& lie) {
    Json answer = honest;
    lie(answer);
    return world.check(answer, world.failed).error().code;
  };
  CHECK(refused([](Json& answer) { answer["receipt"]["outcome"] = "succeeded"; }) ==
        Errc::rejected);
  // A header made to fit the lie is not the one that work carries.
  CHECK(refused([&](Json& answer) {
          answer = with_outcome(answer, ledger::Outcome::succeeded, ledger::Reason::none);
        }) == Errc::rejected);
  CHECK(refused([](Json& answer) { answer["headers"].erase(1); }) == Errc::rejected);
  CHECK(refused([](Json& answer) { answer["headers"] = Json::array(); }) == Errc::bad_encoding);
  CHECK(refused([](Json& answer) {
          answer["headers"][0]["chain_id"] = to_0x(Digest{});
          answer["headers"].erase(answer["headers"].begin() + 1, answer["headers"].end());
        }) == Errc::conflict);
  CHECK(refused([](Json& answer) {
          answer["headers"][0]["payload_id"] = to_0x(Digest{});
          answer["headers"].erase(answer["headers"].begin() + 1, answer["headers"].end());
        }) == Errc::unavailable);
}

TEST_CASE("the receipt of a copy that its block skipped decides nothing, whoever certified it") {
  World world;
  world.backend.make_blocks(8);
  const Json honest = world.proof(world.paid);
  const auto check = [&](ledger::Outcome outcome, ledger::Reason reason) {
    const Json answer = with_outcome(honest, outcome, reason);
    return check_receipt_proof(Fields::of(answer, "proof").value(),
                               world.backend.id_of(world.paid));
  };
  const auto skipped = check(ledger::Outcome::skipped, ledger::Reason::duplicate);
  REQUIRE_FALSE(skipped.has_value());
  CHECK(skipped.error().detail.find("skipped") != std::string::npos);
  // Whether anybody certified the header is for the caller to check.
  CHECK(check(ledger::Outcome::succeeded, ledger::Reason::none).has_value());
}

TEST_CASE("miners who carry another result are outvoted by those who do not, or outvote them") {
  World world;
  world.backend.make_blocks(3);
  FakeBranch branch(world.backend.genesis());
  std::vector<ledger::Header> ledger_headers;
  for (std::uint64_t at = 1; at <= 3; ++at) {
    ledger_headers.push_back(world.backend.block(Height(at))->header);
  }
  // The same blocks, with exec_refs of the test's choice: a ledger block belongs to the branch by
  // its payload id alone, so the headers are made to fit.
  const auto mined = [&](const std::vector<bool>& honest) {
    FakeBranch out(world.backend.genesis());
    std::vector<ledger::Header> headers = ledger_headers;
    for (std::size_t i = 0; i < kFakeDepth + 1; ++i) out.mine({}, Digest{});
    for (std::size_t i = 0; i < honest.size(); ++i) {
      if (headers.size() <= i) headers.push_back(headers.back());
      headers[i].height = Height(i + 1);
      headers[i].payload_id = crypto::work::id_of(out.header(Height(i + 1)));
      if (i > 0) headers[i].parent_hash = ledger::block_hash(headers[i - 1]);
      out.mine({}, honest[i] ? ledger::block_hash(headers[i]) : Digest{});
    }
    headers.resize(honest.size());
    WorkChain client = WorkChain::open(world.backend.genesis(), std::nullopt).value();
    const auto source = [&](Height from, std::uint32_t limit) -> Result<std::vector<Bytes>> {
      return out.page(from, limit);
    };
    REQUIRE(client.follow(source, world.backend.genesis().genesis_time.saturating_add(10'000'000)));
    return check_carried(client, headers);
  };
  CHECK(mined({true, true, true, true}).value().carried == 4);
  CHECK(mined({true, false, true, true}).value().carried == 2);
  CHECK(mined({false, true, true}).value().carried == 1);
  CHECK(mined({true, false}).error().code == Errc::rejected);
  CHECK(mined({false, false, true}).error().code == Errc::rejected);
}

TEST_CASE("what a prover leaves out counts against its proof") {
  World world;
  FakeBranch branch(world.backend.genesis());
  Digest honest;
  honest.bytes[0] = 1;  // what everybody but one miner carries
  ledger::Header made_up = world.backend.block(Height(1))->header;
  const Height place(50), carrier(place.value() + kFakeDepth + 1);
  while (branch.tip() < Height(150)) {
    const bool lie = branch.tip().next() == carrier;
    if (lie) {
      made_up.height = place;
      made_up.payload_id = crypto::work::id_of(branch.header(place));
    }
    branch.mine({}, lie ? ledger::block_hash(made_up) : honest);
  }
  WorkChain client = WorkChain::open(world.backend.genesis(), std::nullopt).value();
  const auto source = [&](Height from, std::uint32_t limit) -> Result<std::vector<Bytes>> {
    return branch.page(from, limit);
  };
  REQUIRE(client.follow(source, world.backend.genesis().genesis_time.saturating_add(10'000'000)));
  // The one header that carries it, and not the hundred that do not.
  const auto proved = check_carried(client, {made_up});
  REQUIRE_FALSE(proved.has_value());
  CHECK(proved.error().code == Errc::unavailable);
  CHECK(proved.error().detail.find("63 of 64") != std::string::npos);
}

TEST_CASE("accounts are proved by work, and at genesis by the client's own genesis") {
  World world;
  const auto address = crypto::dev_account_address(0);
  const auto prove = [&] {
    const Json answer =
        world.result("account_getProof", {{"address", crypto::to_text(address)}, {"carriers", 3}});
    return check_account_proof(world.chain, world.trusted, answer, address);
  };
  world.follow();
  CHECK(prove()->account->balance == 1'000'000);
  CHECK(prove()->work->height == Height(0));
  world.backend.make_blocks(6);
  world.follow();
  const auto proved = prove();
  REQUIRE(proved.has_value());
  CHECK(proved->account->balance == 999'975);
  CHECK(proved->work->carried == 3);
  Json lie =
      world.result("account_getProof", {{"address", crypto::to_text(address)}, {"carriers", 3}});
  lie["proof"]["leaf"]["balance"] = "1000000";
  CHECK_FALSE(check_account_proof(world.chain, world.trusted, lie, address).has_value());
}

TEST_CASE("how many headers must carry a result follows from whom one wants to be safe from") {
  for (const double share : {0.05, 0.1, 0.2, 0.3, 0.4, 0.45}) {
    const double bound = crypto::work::reversal_probability(share, 6);
    const std::uint64_t enough = carried_enough(share, 6, Height(20));
    INFO(share);
    CHECK(20 * std::pow(share / (1 - share), static_cast<double>(enough)) <= bound);
    CHECK((enough == 1 ||
           20 * std::pow(share / (1 - share), static_cast<double>(enough - 1)) > bound));
  }
  CHECK(carried_enough(0.1, 6, Height(0)) == 4);
  CHECK(carried_enough(0, 6, Height(1000)) == 1);
  CHECK(carried_enough(0.5, 6, Height(1000)) == 1);  // nothing helps against a half
}

TEST_CASE("the more blocks a liar could choose from, the more headers must carry a result") {
  CHECK(carried_enough(0.1, 6, Height(40'000)) == 9);
  CHECK(carried_enough(0.1, 6, Height(10'000'000)) == 11);
  CHECK(carried_enough(0.3, 6, Height(40'000)) == 15);
  CHECK(lie_probability(0.1, 9, Height(40'000)) == Approx(40'000 * std::pow(1.0 / 9.0, 9)));
  CHECK(lie_probability(0.1, 1, Height(40'000)) == 1);
  CHECK(lie_probability(0.1, 2, Height(0)) == Approx(1.0 / 81.0));
  // More are never counted, so more are not asked for either.
  CHECK(carried_enough(0.49, 6, Height(10'000'000)) == kCarriersCounted);
}
