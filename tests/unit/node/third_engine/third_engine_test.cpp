// Whole nodes, with real threads and TLS between them, their API and the wallet's light client,
// over an engine that none of them was written for (sequencer.hpp).
#include <catch2/catch.hpp>
#include <future>

#include "consensus/engine_list.hpp"
#include "crypto/dev_accounts.hpp"
#include "ledger/memory_store.hpp"
#include "node/rpc_backend.hpp"
#include "rpc/client/work_chain.hpp"
#include "rpc/json/fields.hpp"
#include "rpc/methods/dispatcher.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/node/net_fixture.hpp"
#include "tests/unit/node/third_engine/sequencer.hpp"

using namespace quorate;
using namespace quorate::node;

namespace third_engine_test {
namespace {

constexpr std::chrono::seconds kLong{60};
constexpr std::uint64_t kBalance = 1'000;

crypto::ValidatorKey validator_key(std::uint32_t i) {
  return crypto::ValidatorKey(
      crypto::SecretSeed::from(Bytes(32, static_cast<std::uint8_t>(90 + i))).value());
}

ledger::Genesis make_genesis() {
  ledger::Genesis out;
  out.chain_name = "local-third-engine";
  out.genesis_time = WallMs(1'000);
  out.consensus.engine = consensus::sequencer::kName;
  for (std::uint32_t i = 0; i < 2; ++i) {
    out.validators.push_back({"node" + std::to_string(i), validator_key(i).public_key(),
                              test::node_key(static_cast<std::uint8_t>(i + 1)).public_key(),
                              "127.0.0.1:1"});
    out.accounts.push_back({crypto::dev_account_address(i), kBalance});
  }
  return out;
}

struct Node {
  TemporaryFolder folder;
  test::MemoryLog log;
  ledger::MemoryStore store;
  std::unique_ptr<NodeRuntime> runtime;
  std::unique_ptr<RpcBackend> backend;
  std::unique_ptr<rpc::Dispatcher> dispatcher;

  // Ports that are not known are 0. Each node dials those above it, whose port it must know.
  Node(std::uint32_t number, std::uint16_t own_port, std::uint16_t other_port) {
    RuntimeConfig config{.genesis = make_genesis(),
                         .node_key = test::node_key(static_cast<std::uint8_t>(number + 1)),
                         .validator_key = std::nullopt,
                         .listen = "127.0.0.1:" + std::to_string(own_port),
                         .peer_addresses = {},
                         .votes_dir = folder / "votes",
                         .validator_state_file = folder / "validator_state.json"};
    config.validator_key.emplace(validator_key(number));
    config.peer_addresses.assign(2, "127.0.0.1:" + std::to_string(std::max<int>(other_port, 1)));
    config.peer_timing.backoff_first = std::chrono::milliseconds(20);
    config.peer_timing.backoff_most = std::chrono::milliseconds(100);
    auto started = NodeRuntime::start(std::move(config), store, log);
    if (!started) FAIL(started.error().detail);
    runtime = std::move(*started);
    NodeIdentity identity;
    identity.name = "node" + std::to_string(number);
    identity.validator_key = validator_key(number).public_key();
    backend = std::make_unique<RpcBackend>(*runtime, std::move(identity));
    dispatcher = std::make_unique<rpc::Dispatcher>(*backend, nullptr);
  }
  ~Node() { runtime->stop(); }

  rpc::Json call(const std::string& method, const rpc::Json& params = rpc::Json::object()) {
    const rpc::Json request = {
        {"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}};
    auto reply = std::make_shared<std::promise<std::string>>();
    auto answered = reply->get_future();
    dispatcher->handle(request.dump(), nullptr,
                       [reply](std::string text) { reply->set_value(std::move(text)); });
    REQUIRE(answered.wait_for(kLong) == std::future_status::ready);
    return rpc::parse_json(answered.get()).value();
  }
  rpc::Json result(const std::string& method, const rpc::Json& params = rpc::Json::object()) {
    const rpc::Json reply = call(method, params);
    INFO(method << " " << reply.dump());
    REQUIRE(reply.contains("result"));
    return reply["result"];
  }
};

rpc::Json payment(std::uint64_t nonce) {
  const auto key = crypto::dev_account_key(0);
  ledger::Transaction transaction;
  transaction.sender = key.public_key();
  transaction.nonce = nonce;
  transaction.operations.push_back(ledger::Transfer{crypto::dev_account_address(1), 25});
  const Digest chain = ledger::chain_id(make_genesis());
  return {{"tx", to_0x(ledger::encode(ledger::sign(chain, std::move(transaction), key)))},
          {"chain_id", to_0x(chain)},
          {"timeout_ms", 30'000}};
}

}  // namespace

TEST_CASE("an engine that nobody knows but the factory orders, executes and serves a chain") {
  auto follower = std::make_unique<Node>(1, 0, 0);
  Node sequencer(0, 0, follower->runtime->p2p_port());

  const rpc::Json paid = follower->result("tx_submitAndWait", payment(1));
  CHECK(paid["status"] == "final");
  CHECK(paid["height"] == 1);
  CHECK(paid["depth"] == consensus::sequencer::kSequencerDepth);
  CHECK(paid["commit_depth"] == consensus::sequencer::kSequencerDepth);
  CHECK_FALSE(paid.contains("reversal"));  // the formulas are those of work
  const rpc::Json block = follower->result("chain_getBlock", {{"block", 1}});
  CHECK(paid["block_id"] == block["header"]["payload_id"]);

  const rpc::Json status = follower->result("chain_getStatus");
  CHECK(status["engine"] == consensus::sequencer::kName);
  CHECK(status["engine_traits"]["proved_by"] == "none");
  CHECK_FALSE(status.contains("branch"));
  CHECK(status["ready"] == true);
  CHECK(sequencer.result("tx_submitAndWait", payment(2))["height"] == 3);
  CHECK(sequencer.result(
            "account_get",
            {{"address", crypto::to_text(crypto::dev_account_address(1))}})["balance"] == "1050");
}

TEST_CASE("who asks such a chain for proofs is told that there are none") {
  auto follower = std::make_unique<Node>(1, 0, 0);
  Node node(0, 0, follower->runtime->p2p_port());
  const rpc::Json paid = node.result("tx_submitAndWait", payment(1));
  const rpc::Json id = {{"transaction_id", paid["transaction_id"]}};
  const rpc::Json address = {{"address", crypto::to_text(crypto::dev_account_address(0))}};
  for (const auto& [method, params] : {std::pair<std::string, rpc::Json>{"tx_getProof", id},
                                       {"account_getProof", address},
                                       {"chain_getWorkHeaders", rpc::Json::object()},
                                       {"chain_getBlockCertificate", rpc::Json::object()}}) {
    const rpc::Json reply = node.call(method, params);
    INFO(method << " " << reply.dump());
    REQUIRE(reply.contains("error"));
    CHECK(reply["error"]["code"] == -32004);
    CHECK(reply["error"]["message"].get<std::string>().find("makes no proofs of its blocks") !=
          std::string::npos);
  }
  CHECK_FALSE(rpc::proved_by_work(make_genesis()));
}

TEST_CASE("a node that joins such a chain late catches up") {
  auto follower = std::make_unique<Node>(1, 0, 0);
  const std::uint16_t port = follower->runtime->p2p_port();
  follower.reset();
  Node sequencer(0, 0, port);
  for (std::uint64_t nonce = 1; nonce <= 5; ++nonce) {
    CHECK(sequencer.result("tx_submitAndWait", payment(nonce))["status"] == "final");
  }
  follower = std::make_unique<Node>(1, port, 0);
  // Through the follower: what it relays is ordered, and what it hears is far above what it has.
  const rpc::Json paid = follower->result("tx_submitAndWait", payment(6));
  CHECK(paid["height"] == 11);
  CHECK(follower->runtime->chain().header(Height(11))->state_root ==
        sequencer.runtime->chain().header(Height(11))->state_root);
}

TEST_CASE("the names that people may give come from the list of engines") {
  CHECK(consensus::default_engine() == consensus::sequencer::kName);
  CHECK(consensus::engine_names() == consensus::sequencer::kName);
  CHECK(consensus::proved_by(consensus::sequencer::kName) == consensus::ProvedBy::none);
  CHECK_FALSE(consensus::is_engine("another"));
}

}  // namespace third_engine_test
