// The backend over a whole node with real threads: a chain of one validator, which commits alone.
#include "node/rpc_backend.hpp"

#include <catch2/catch.hpp>
#include <future>

#include "crypto/dev_accounts.hpp"
#include "ledger/memory_store.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/node/net_fixture.hpp"

using namespace quorate;
using namespace quorate::node;
using rpc::TransactionStatus;

namespace rpc_backend_test {
namespace {

constexpr std::chrono::seconds kLong{60};

struct Node {
  static ledger::Genesis make_genesis() {
    ledger::Genesis out;
    out.chain_name = "local-backend-test";
    out.genesis_time = WallMs(1'000);
    // One transaction after the other, so that a test knows what is executed when.
    out.consensus.proposals_in_flight = 1;
    out.consensus.payload_transactions_max = 1;
    out.validators.push_back(
        {"solo", validator().public_key(), test::node_key(7).public_key(), "127.0.0.1:1"});
    for (std::uint32_t i = 0; i < 3; ++i) {
      out.accounts.push_back({crypto::dev_account_address(i), 1'000});
    }
    return out;
  }
  static crypto::ValidatorKey validator() {
    return crypto::ValidatorKey(crypto::SecretSeed::from(Bytes(32, 107)).value());
  }
  static std::unique_ptr<NodeRuntime> start(const TemporaryFolder& folder, ledger::KvStore& store,
                                            Log& log) {
    RuntimeConfig config{.genesis = make_genesis(),
                         .node_key = test::node_key(7),
                         .validator_key = std::nullopt,
                         .listen = "127.0.0.1:0",
                         .peer_addresses = {},
                         .votes_dir = folder / "votes",
                         .validator_state_file = folder / "validator_state.json"};
    config.validator_key.emplace(validator());
    auto started = NodeRuntime::start(std::move(config), store, log);
    if (!started) FAIL(started.error().detail);
    return std::move(*started);
  }
  static NodeIdentity identity() {
    NodeIdentity out;
    out.name = "solo";
    out.version = "1.2.3";
    out.commit = "abc";
    out.validator_key = validator().public_key();
    return out;
  }

  TemporaryFolder folder;
  test::MemoryLog log;
  ledger::MemoryStore store;
  std::unique_ptr<NodeRuntime> runtime = start(folder, store, log);
  RpcBackend backend{*runtime, identity()};

  ~Node() { runtime->stop(); }

  ledger::SignedTransaction transfer(std::uint32_t from, std::uint64_t nonce, std::uint32_t to,
                                     std::uint64_t amount, std::uint64_t valid_until = 0) const {
    ledger::Transaction out;
    out.nonce = nonce;
    out.valid_until_height = valid_until;
    out.operations.push_back(ledger::Transfer{crypto::dev_account_address(to), amount});
    return ledger::sign(backend.chain_id(), std::move(out), crypto::dev_account_key(from));
  }
  Digest id(const ledger::SignedTransaction& transaction) const {
    return ledger::transaction_id(backend.chain_id(), transaction.transaction);
  }

  template <class T>
  static T get(std::promise<T>& promise) {
    auto future = promise.get_future();
    REQUIRE(future.wait_for(kLong) == std::future_status::ready);
    return future.get();
  }
  std::vector<rpc::SubmitResult> submit(std::vector<Bytes> encoded) {
    auto promise = std::make_shared<std::promise<std::vector<rpc::SubmitResult>>>();
    backend.submit(std::move(encoded), [promise](auto results) { promise->set_value(results); });
    return get(*promise);
  }
  rpc::SubmitResult submit(const ledger::SignedTransaction& transaction) {
    return submit(std::vector<Bytes>{ledger::encode(transaction)}).at(0);
  }
  rpc::SubmitResult check(Bytes encoded) {
    auto promise = std::make_shared<std::promise<rpc::SubmitResult>>();
    backend.check(std::move(encoded), [promise](auto result) { promise->set_value(result); });
    return get(*promise);
  }
  rpc::TransactionView wait(const Digest& transaction) {
    auto promise = std::make_shared<std::promise<rpc::TransactionView>>();
    backend.wait_final(transaction, kLong, [promise](auto view) { promise->set_value(view); });
    return get(*promise);
  }
  rpc::TransactionView ask(const Digest& transaction) {
    auto promise = std::make_shared<std::promise<rpc::TransactionView>>();
    backend.transaction(transaction, [promise](auto view) { promise->set_value(view); });
    return get(*promise);
  }
  rpc::AccountView account(std::uint32_t index) {
    auto promise = std::make_shared<std::promise<rpc::AccountView>>();
    backend.account(crypto::dev_account_address(index),
                    [promise](auto view) { promise->set_value(view); });
    return get(*promise);
  }
};

}  // namespace

TEST_CASE("a submitted transfer becomes final, with a proof that a stranger can check") {
  Node node;
  const auto payment = node.transfer(0, 1, 1, 25);
  const auto submitted = node.submit(payment);
  CHECK_FALSE(submitted.refusal);
  REQUIRE(submitted.id == node.id(payment));

  const auto view = node.wait(node.id(payment));
  REQUIRE(view.status == TransactionStatus::final);
  CHECK(view.height == Height(1));
  CHECK(view.transaction == payment);
  CHECK(node.ask(node.id(payment)).status == TransactionStatus::final);

  const auto proof = node.backend.transaction_proof(node.id(payment));
  REQUIRE(proof);
  CHECK(ledger::verify(proof->certificate, ledger::membership(node.backend.genesis()),
                       crypto::Ed25519Verifier()));
  CHECK(ledger::merkle_verify(proof->headers.at(0).receipts_root,
                              ledger::receipt_leaf(proof->receipt), proof->path));

  CHECK(node.account(1).balance == 1'025);
  CHECK(node.account(0).nonce == 1);
  CHECK(node.account(0).next_nonce == 2);
  CHECK_FALSE(node.account(9).exists);
  const auto status = node.backend.chain_status();
  CHECK(status.height == Height(1));
  CHECK(status.certified_height == Height(1));
  CHECK(status.block_hash == node.backend.block(Height(1))->hash);
  CHECK(node.backend.block_by_hash(status.block_hash)->certified);
  const auto account = node.backend.account_proof(crypto::dev_account_address(1), 0);
  REQUIRE(account);
  CHECK(ledger::verify_state_proof(account->certificate.header.state_root,
                                   crypto::dev_account_address(1), account->proof));
}

TEST_CASE("the same bytes again are refused as a duplicate that names the block") {
  Node node;
  const auto payment = node.transfer(0, 1, 1, 25);
  node.submit(payment);
  REQUIRE(node.wait(node.id(payment)).status == TransactionStatus::final);
  const auto again = node.submit(payment);
  REQUIRE(again.refusal);
  CHECK(again.refusal->reason == ledger::Reason::duplicate);
  CHECK(again.refusal->detail.find("block 1") != std::string::npos);
  CHECK(again.id == node.id(payment));
  CHECK(node.account(1).balance == 1'025);
}

TEST_CASE("each result of a batch is that of its transaction, in order") {
  Node node;
  Bytes forged = ledger::encode(node.transfer(2, 1, 1, 5));
  forged.back() ^= 1U;
  const auto results = node.submit({ledger::encode(node.transfer(0, 1, 1, 5)), Bytes{1, 2, 3},
                                    std::move(forged), ledger::encode(node.transfer(1, 1, 0, 5))});
  REQUIRE(results.size() == 4);
  CHECK_FALSE(results[0].refusal);
  CHECK(results[1].refusal->reason == ledger::Reason::bad_encoding);
  CHECK(results[2].refusal->reason == ledger::Reason::bad_signature);
  CHECK_FALSE(results[3].refusal);
  CHECK(node.wait(*results[3].id).status == TransactionStatus::final);
}

TEST_CASE("a dry run answers as submitting would, and submits nothing") {
  Node node;
  CHECK_FALSE(node.check(ledger::encode(node.transfer(0, 1, 1, 25))).refusal);
  CHECK(node.check({}).refusal->reason == ledger::Reason::bad_encoding);
  const auto poor = node.check(ledger::encode(node.transfer(0, 1, 1, 1'001)));
  CHECK(poor.refusal->reason == ledger::Reason::insufficient_funds);
  const auto early = node.check(ledger::encode(node.transfer(0, 3, 1, 1)));
  CHECK(early.refusal->reason == ledger::Reason::nonce_too_high);
  CHECK(early.refusal->expected == 1);
  CHECK(early.refusal->got == 3);
  const auto stranger = node.check(ledger::encode(node.transfer(9, 1, 1, 1)));
  CHECK(stranger.refusal->reason == ledger::Reason::unknown_sender);
  CHECK(node.backend.chain_status().height == Height(0));
  CHECK(node.account(0).next_nonce == 1);
}

TEST_CASE("a transaction behind a nonce gap is pending, and one that was never seen is unknown") {
  Node node;
  const auto later = node.transfer(0, 2, 1, 25);
  CHECK_FALSE(node.submit(later).refusal);
  CHECK(node.ask(node.id(later)).status == TransactionStatus::pending);
  CHECK(node.ask(node.id(node.transfer(0, 7, 1, 25))).status == TransactionStatus::unknown);

  auto promise = std::make_shared<std::promise<rpc::TransactionView>>();
  node.backend.wait_final(node.id(later), std::chrono::milliseconds(1),
                          [promise](auto view) { promise->set_value(view); });
  CHECK(Node::get(*promise).status == TransactionStatus::pending);
}

TEST_CASE("a transaction that the chain has passed is expired, whoever asks") {
  Node node;
  const auto late = node.transfer(0, 2, 1, 25, 1);  // waits for nonce 1, valid in block 1 only
  CHECK_FALSE(node.submit(late).refusal);
  const auto other = node.transfer(1, 1, 2, 1);
  node.submit(other);
  REQUIRE(node.wait(node.id(other)).status == TransactionStatus::final);
  CHECK(node.wait(node.id(late)).status == TransactionStatus::expired);
  CHECK(node.ask(node.id(late)).status == TransactionStatus::expired);
}

TEST_CASE("a transaction that has lost its nonce to another one is failed, whoever asks") {
  Node node;
  // Admitted while the balance covers it; when its turn comes it no longer does, and is dropped.
  const auto late = node.transfer(0, 2, 1, 900);
  CHECK_FALSE(node.submit(late).refusal);
  const auto first = node.transfer(0, 1, 2, 500);
  node.submit(first);
  REQUIRE(node.wait(node.id(first)).status == TransactionStatus::final);
  CHECK(node.ask(node.id(late)).status == TransactionStatus::unknown);
  const auto other = node.transfer(0, 2, 2, 1);
  CHECK_FALSE(node.submit(other).refusal);
  REQUIRE(node.wait(node.id(other)).status == TransactionStatus::final);
  for (const auto& view : {node.ask(node.id(late)), node.wait(node.id(late))}) {
    CHECK(view.status == TransactionStatus::failed);
    CHECK(view.reason == ledger::Reason::nonce_too_low);
  }
}

TEST_CASE("the node says who it is and that it can commit") {
  Node node;
  const auto view = node.backend.replica_view();
  CHECK(view.node_name == "solo");
  CHECK(view.replica == ReplicaId(0));
  CHECK(view.validators == 1);
  CHECK(view.quorum == 1);
  CHECK(node.backend.node_info().version == "1.2.3");
  CHECK(node.backend.node_info().storage_version == 1);
  CHECK(node.backend.peers().empty());
  CHECK(node.backend.mempool().transactions_max == MempoolLimits{}.transactions_max);
  const std::string metrics = node.backend.metrics_text();
  CHECK(metrics.find("quorate_consensus_validators 1\n") != std::string::npos);
  CHECK(metrics.find("quorate_consensus_missing_validators 0\n") != std::string::npos);
}

TEST_CASE("whoever waits when the node stops is answered") {
  auto promise = std::make_shared<std::promise<rpc::TransactionView>>();
  {
    Node node;
    node.backend.wait_final(node.id(node.transfer(0, 7, 1, 25)), kLong,
                            [promise](auto view) { promise->set_value(view); });
  }
  CHECK(Node::get(*promise).status == TransactionStatus::unknown);
}

}  // namespace rpc_backend_test
