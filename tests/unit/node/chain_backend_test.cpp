// What the API reads from the chain, and who hears when a block becomes final: over a real chain in
// memory, without a network.
#include <catch2/catch.hpp>
#include <future>

#include "ledger/memory_store.hpp"
#include "node/chain_reader.hpp"
#include "node/finality_watch.hpp"
#include "tests/unit/ledger/fixture.hpp"

using namespace quorate;
using namespace quorate::node;
using namespace quorate::ledger::test;
using rpc::TransactionStatus;
using rpc::TransactionView;

namespace {

constexpr std::chrono::seconds kLong{60};

class Sink final : public rpc::EventSink {
 public:
  void on_block_final(Height height) override { add(static_cast<std::int64_t>(height.value())); }
  // Withdrawals stand among the heights as the negative of the lowest.
  void on_blocks_withdrawn(std::shared_ptr<const rpc::WithdrawnBlocks> blocks) override {
    add(-static_cast<std::int64_t>(blocks->from.value()));
  }
  void add(std::int64_t height) {
    heights.push_back(height);
    if (heights.size() == expected) reached.set_value();
  }
  std::vector<std::int64_t> heights;
  std::size_t expected = 0;
  std::promise<void> reached;
};

// A chain whose blocks the test orders and seals, with a watch that hears of both as in the node.
struct Node {
  explicit Node(ledger::ChainOptions options = {})
      : chain(*ledger::Chain::open(store, small_genesis(), options)) {}

  ledger::MemoryStore store;
  std::unique_ptr<ledger::Chain> chain;
  FinalityWatch watch{*chain};

  Result<std::vector<ledger::ExecutedBlock>> execute_next(
      std::vector<ledger::TransactionPtr> transactions) {
    std::vector<ledger::OrderedBlock> blocks;
    blocks.push_back(ordered(chain->head().height.next(), std::move(transactions)));
    return chain->execute(std::move(blocks));
  }
  void execute(std::vector<ledger::TransactionPtr> transactions) {
    auto blocks = execute_next(std::move(transactions));
    REQUIRE(blocks);
    for (auto& block : *blocks) {
      watch.block_executed(std::make_shared<const ledger::ExecutedBlock>(std::move(block)));
    }
  }
  void certify(std::uint64_t height) {
    const auto header = chain->header(Height(height));
    REQUIRE(header);
    REQUIRE(chain->store_seals(Height(height), seals_of(chain->genesis(), *header, {0, 1, 2})));
    watch.certificates_changed();
  }
  std::future<TransactionView> wait(const Digest& id, std::uint64_t valid_until = 0,
                                    std::chrono::milliseconds timeout = kLong) {
    return wait(SeenTransaction{id, Height(valid_until)}, timeout);
  }
  std::future<TransactionView> wait(const SeenTransaction& transaction,
                                    std::chrono::milliseconds timeout = kLong) {
    auto promise = std::make_shared<std::promise<TransactionView>>();
    watch.wait(transaction, std::chrono::steady_clock::now() + timeout,
               [promise](TransactionView view) { promise->set_value(std::move(view)); });
    return promise->get_future();
  }
  std::size_t index_entries() {
    std::promise<std::size_t> entries;
    watch.run_soon([this, &entries] { entries.set_value(watch.index_entries()); });
    return entries.get_future().get();
  }
  // Everything asked of the watch before has been looked at when this returns.
  void settle() {
    std::promise<void> twice;
    watch.run_soon([this, &twice] { watch.run_soon([&twice] { twice.set_value(); }); });
    twice.get_future().wait();
  }
};

bool is_ready(const std::future<TransactionView>& future) {
  return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

TransactionView get(std::future<TransactionView> future) {
  REQUIRE(future.wait_for(kLong) == std::future_status::ready);
  return future.get();
}

}  // namespace

TEST_CASE("an executed transaction is pending until its block has a certificate, then final") {
  Node node;
  const auto payment = transfer(node.chain->chain_id(), "anna", 1, "ben", 25);
  CHECK(read_transaction(*node.chain, payment->id).error().code == Errc::not_found);

  node.execute({payment});
  const auto executed = read_transaction(*node.chain, payment->id);
  REQUIRE(executed);
  CHECK(executed->status == TransactionStatus::pending);
  CHECK(executed->height == Height(1));
  CHECK_FALSE(executed->receipt);

  node.certify(1);
  const auto done = read_transaction(*node.chain, payment->id);
  REQUIRE(done);
  CHECK(done->status == TransactionStatus::final);
  CHECK(done->receipt->outcome == ledger::Outcome::succeeded);
  CHECK(done->transaction == payment->signed_transaction);
}

TEST_CASE("the certificate of a descendant makes the blocks below it final, and proves them") {
  Node node;
  const auto payment = transfer(node.chain->chain_id(), "anna", 1, "ben", 25);
  node.execute({payment});
  node.execute({});
  node.execute({});
  CHECK(prove_transaction(*node.chain, payment->id).error().code == Errc::unavailable);
  node.certify(3);
  CHECK(read_transaction(*node.chain, payment->id)->status == TransactionStatus::final);

  const auto proof = prove_transaction(*node.chain, payment->id);
  REQUIRE(proof);
  REQUIRE(proof->headers.size() == 3);
  CHECK(proof->headers.back() == proof->certificate.header);
  CHECK(proof->headers[1].parent_hash == ledger::block_hash(proof->headers[0]));
  CHECK(proof->headers[2].parent_hash == ledger::block_hash(proof->headers[1]));
  CHECK(ledger::merkle_verify(proof->headers[0].receipts_root, ledger::receipt_leaf(proof->receipt),
                              proof->path));
  CHECK(ledger::verify(proof->certificate, ledger::membership(node.chain->genesis()),
                       crypto::Ed25519Verifier()));
}

TEST_CASE("a transaction that fails is failed, with its reason, and never final") {
  Node node;
  const auto too_much = transfer(node.chain->chain_id(), "anna", 1, "ben", 5000);
  node.execute({too_much});
  node.certify(1);
  const auto view = read_transaction(*node.chain, too_much->id);
  REQUIRE(view);
  CHECK(view->status == TransactionStatus::failed);
  CHECK(view->receipt->reason == ledger::Reason::insufficient_funds);
}

TEST_CASE("a block is read with its transactions, receipts and whether it is certified") {
  Node node;
  const auto payment = transfer(node.chain->chain_id(), "anna", 1, "ben", 25);
  node.execute({payment, transfer(node.chain->chain_id(), "anna", 9, "ben", 1)});
  auto block = read_block(*node.chain, Height(1));
  REQUIRE(block);
  CHECK(block->hash == node.chain->head().block_hash);
  CHECK(block->transactions.size() == 2);
  CHECK(block->transaction_ids[0] == payment->id);
  CHECK(block->receipts[1].outcome == ledger::Outcome::skipped);
  CHECK_FALSE(block->certified);
  node.certify(1);
  CHECK(read_block(*node.chain, Height(1))->certified);
  CHECK(read_block(*node.chain, Height(0))->transactions.empty());
  CHECK(read_block(*node.chain, Height(2)).error().code == Errc::not_found);

  const auto summary = read_block_summary(*node.chain, Height(1));
  REQUIRE(summary.has_value());
  CHECK(summary->hash == ledger::block_hash(node.chain->header(Height(1)).value()));
  CHECK(summary->certified);
  CHECK(summary->transactions.empty());
  CHECK(read_block_summary(*node.chain, Height(2)).error().code == Errc::not_found);
}

TEST_CASE("an account is proved at the certified height, not at the head") {
  Node node;
  node.execute({transfer(node.chain->chain_id(), "anna", 1, "ben", 25)});
  node.certify(1);
  node.execute({transfer(node.chain->chain_id(), "anna", 2, "ben", 25)});
  const auto proof = prove_account(*node.chain, address("ben"));
  REQUIRE(proof);
  CHECK(proof->certificate.header.height == Height(1));
  const auto account = ledger::verify_state_proof(proof->certificate.header.state_root,
                                                  address("ben"), proof->proof);
  REQUIRE(account);
  CHECK((*account)->balance == 525);
}

TEST_CASE("a waiter is answered when the block is certified, not when it is executed") {
  Node node;
  const auto payment = transfer(node.chain->chain_id(), "anna", 1, "ben", 25);
  auto waiting = node.wait(payment->id);
  node.execute({payment});
  node.settle();
  CHECK_FALSE(is_ready(waiting));
  node.certify(1);
  const TransactionView view = get(std::move(waiting));
  CHECK(view.status == TransactionStatus::final);
  CHECK(view.height == Height(1));
  CHECK(view.receipt->transaction_id == payment->id);
}

TEST_CASE("a waiter who comes after the block is final is answered at once") {
  Node node;
  const auto payment = transfer(node.chain->chain_id(), "anna", 1, "ben", 25);
  node.execute({payment});
  node.certify(1);
  CHECK(get(node.wait(payment->id)).status == TransactionStatus::final);
}

TEST_CASE("everybody who waits for one transaction is answered once") {
  Node node;
  const auto payment = transfer(node.chain->chain_id(), "anna", 1, "ben", 25);
  auto first = node.wait(payment->id, 5);
  auto second = node.wait(payment->id, 5, std::chrono::seconds(50));
  node.execute({payment});
  node.certify(1);
  CHECK(get(std::move(first)).status == TransactionStatus::final);
  CHECK(get(std::move(second)).status == TransactionStatus::final);
}

TEST_CASE("at the deadline a waiter gets the status as it is, never a success") {
  Node node;
  const auto payment = transfer(node.chain->chain_id(), "anna", 1, "ben", 25);
  CHECK(get(node.wait(payment->id, 0, std::chrono::milliseconds(1))).status ==
        TransactionStatus::unknown);
  node.execute({payment});
  CHECK(get(node.wait(payment->id, 0, std::chrono::milliseconds(1))).status ==
        TransactionStatus::pending);
}

TEST_CASE("a transaction that the chain has passed is reported as expired") {
  Node node;
  const auto late = transfer(node.chain->chain_id(), "anna", 1, "ben", 25, {2, ""});
  auto waiting = node.wait(late->id, 2);
  node.execute({});
  node.certify(1);
  node.settle();
  CHECK_FALSE(is_ready(waiting));
  node.execute({});
  node.certify(2);
  CHECK(get(std::move(waiting)).status == TransactionStatus::expired);
  CHECK(fate_of(*node.chain, {late->id, Height(2)}).status == TransactionStatus::expired);
  CHECK(fate_of(*node.chain, {late->id, Height(3)}).status == TransactionStatus::unknown);
  CHECK(fate_of(*node.chain, {late->id, Height(0)}).status == TransactionStatus::unknown);
}

TEST_CASE(
    "a waiter whose deadline came before the expiry is forgotten, and later ones are answered") {
  Node node;
  const auto late = transfer(node.chain->chain_id(), "anna", 1, "ben", 25, {2, ""});
  CHECK(get(node.wait(late->id, 2, std::chrono::milliseconds(1))).status ==
        TransactionStatus::unknown);
  node.execute({});
  node.execute({});
  node.certify(2);
  CHECK(get(node.wait(late->id, 2)).status == TransactionStatus::expired);
  const auto payment = transfer(node.chain->chain_id(), "anna", 1, "ben", 25);
  auto waiting = node.wait(payment->id);
  node.execute({payment});
  node.certify(3);
  CHECK(get(std::move(waiting)).status == TransactionStatus::final);
}

TEST_CASE("waiters who have been answered leave nothing behind, however far their expiry") {
  Node node;
  const auto far = transfer(node.chain->chain_id(), "anna", 1, "ben", 25, {1'000'000, ""});
  auto stays = node.wait(far->id, 1'000'000);
  for (int i = 0; i < 3; ++i) get(node.wait(far->id, 1'000'000, std::chrono::milliseconds(1)));
  CHECK(node.index_entries() == 3);  // the one who stays: by id, deadline and expiry
  node.execute({far});
  node.certify(1);
  CHECK(get(std::move(stays)).status == TransactionStatus::final);
  CHECK(node.index_entries() == 0);
}

TEST_CASE("a transaction whose nonce another one has used is failed for its waiter") {
  Node node;
  const auto winner = transfer(node.chain->chain_id(), "anna", 1, "ben", 25);
  const auto loser = transfer(node.chain->chain_id(), "anna", 1, "cleo", 25);
  auto waiting = node.wait(loser->id);
  node.execute({winner, loser});
  node.certify(1);
  const TransactionView view = get(std::move(waiting));
  CHECK(view.status == TransactionStatus::failed);
  CHECK(view.reason == ledger::Reason::nonce_too_low);
  CHECK_FALSE(view.receipt);
}

TEST_CASE("a transaction whose nonce is taken by one in a block is failed, though never ordered") {
  Node node;
  const auto winner = transfer(node.chain->chain_id(), "anna", 1, "ben", 25);
  const auto loser = transfer(node.chain->chain_id(), "anna", 1, "cleo", 25);
  const auto later = transfer(node.chain->chain_id(), "anna", 2, "cleo", 25);
  const auto seen = [](const ledger::TransactionPtr& transaction) {
    return SeenTransaction{transaction->id, Height(0), transaction->sender,
                           transaction->signed_transaction.transaction.nonce};
  };
  auto won = node.wait(seen(winner));
  auto lost = node.wait(seen(loser));
  auto next = node.wait(seen(later));
  node.execute({winner});
  node.settle();
  // Until the block has a certificate nothing is said of either.
  CHECK_FALSE(is_ready(lost));
  CHECK(fate_of(*node.chain, seen(loser)).status == TransactionStatus::unknown);
  node.certify(1);
  CHECK(get(std::move(won)).status == TransactionStatus::final);
  const TransactionView view = get(std::move(lost));
  CHECK(view.id == loser->id);
  CHECK(view.status == TransactionStatus::failed);
  CHECK(view.reason == ledger::Reason::nonce_too_low);
  CHECK(fate_of(*node.chain, seen(loser)).status == TransactionStatus::failed);
  CHECK(fate_of(*node.chain, seen(winner)).status == TransactionStatus::final);
  CHECK(fate_of(*node.chain, {loser->id}).status == TransactionStatus::unknown);
  CHECK_FALSE(is_ready(next));
  CHECK(node.index_entries() == 3);  // the one who stays: by id, deadline and nonce
}

TEST_CASE("a transaction that is repeated in a later block keeps its first result") {
  Node node;
  const auto payment = transfer(node.chain->chain_id(), "anna", 1, "ben", 25);
  node.execute({payment});
  auto waiting = node.wait(payment->id);
  node.execute({payment});
  node.certify(2);
  const TransactionView view = get(std::move(waiting));
  CHECK(view.status == TransactionStatus::final);
  CHECK(view.height == Height(1));
}

TEST_CASE("final heights are announced in order, each once, without gaps") {
  Node node;
  Sink sink;
  sink.expected = 5;
  node.watch.set_sink(&sink);
  for (int i = 0; i < 3; ++i) node.execute({});
  node.certify(2);
  node.certify(1);
  node.certify(3);
  node.execute({});
  node.execute({});
  node.certify(5);
  REQUIRE(sink.reached.get_future().wait_for(kLong) == std::future_status::ready);
  node.settle();
  node.watch.set_sink(nullptr);
  CHECK(sink.heights == std::vector<std::int64_t>{1, 2, 3, 4, 5});
}

TEST_CASE("where nobody seals, what is executed is final, announced and answered at once") {
  Node node({.seals = false});
  Sink sink;
  sink.expected = 2;
  node.watch.set_sink(&sink);
  const auto payment = transfer(node.chain->chain_id(), "anna", 1, "ben", 25);
  auto waiter = node.wait(payment->id);
  node.execute({payment});
  CHECK(get(std::move(waiter)).status == TransactionStatus::final);
  CHECK(read_transaction(*node.chain, payment->id)->status == TransactionStatus::final);
  node.execute({});
  REQUIRE(sink.reached.get_future().wait_for(kLong) == std::future_status::ready);
  node.watch.set_sink(nullptr);
  CHECK(sink.heights == std::vector<std::int64_t>{1, 2});
}

TEST_CASE("blocks that are withdrawn are told of between their heights and the next ones") {
  Node node({.seals = false});
  Sink sink;
  sink.expected = 7;
  node.watch.set_sink(&sink);
  const auto payment = transfer(node.chain->chain_id(), "anna", 1, "ben", 25);
  for (int height = 1; height <= 2; ++height) node.execute({});
  auto first = node.wait(payment->id);
  node.execute({payment});
  CHECK(get(std::move(first)).height == Height(3));
  SECTION("the watch has told of them") { node.settle(); }
  SECTION("it may be late") {}

  REQUIRE(node.chain->rewind(Height(1)).has_value());
  node.watch.blocks_withdrawn(
      std::make_shared<rpc::WithdrawnBlocks>(rpc::WithdrawnBlocks{Height(2), Height(3), {}}));
  auto again = node.wait(payment->id);
  node.execute({});
  CHECK_FALSE(is_ready(again));
  node.execute({});
  node.execute({payment});
  CHECK(get(std::move(again)).height == Height(4));
  REQUIRE(sink.reached.get_future().wait_for(kLong) == std::future_status::ready);
  node.watch.set_sink(nullptr);
  CHECK(sink.heights == std::vector<std::int64_t>{1, 2, 3, -2, 2, 3, 4});
}

TEST_CASE("blocks that wait long for a certificate are not kept, and are settled all the same") {
  Node node;
  Sink sink;
  sink.expected = 600;
  node.watch.set_sink(&sink);
  const auto winner = transfer(node.chain->chain_id(), "anna", 1, "ben", 25);
  const auto loser = transfer(node.chain->chain_id(), "anna", 1, "cleo", 25);
  const auto last = transfer(node.chain->chain_id(), "anna", 2, "ben", 25);
  auto won = node.wait(winner->id);
  auto lost = node.wait(loser->id);
  auto newest = node.wait(last->id);
  auto stays = node.wait(crypto::sha256(as_bytes("some transaction")));
  std::weak_ptr<const ledger::ExecutedBlock> oldest;
  for (std::uint64_t height = 1; height <= 600; ++height) {
    std::vector<ledger::TransactionPtr> transactions;
    if (height == 1) transactions = {winner, loser};
    if (height == 600) transactions = {last};
    auto blocks = node.execute_next(std::move(transactions));
    REQUIRE(blocks);
    auto block = std::make_shared<const ledger::ExecutedBlock>(std::move(blocks->front()));
    if (height == 1) oldest = block;
    node.watch.block_executed(std::move(block));
  }
  CHECK(oldest.expired());
  node.settle();
  CHECK_FALSE(is_ready(won));
  node.certify(600);
  const TransactionView first = get(std::move(won));
  CHECK(first.status == TransactionStatus::final);
  CHECK(first.height == Height(1));
  CHECK(first.transaction == winner->signed_transaction);
  const TransactionView failed = get(std::move(lost));
  CHECK(failed.status == TransactionStatus::failed);
  CHECK(failed.reason == ledger::Reason::nonce_too_low);
  CHECK(get(std::move(newest)).height == Height(600));
  REQUIRE(sink.reached.get_future().wait_for(kLong) == std::future_status::ready);
  node.watch.set_sink(nullptr);
  CHECK_FALSE(is_ready(stays));
  for (std::size_t i = 0; i < sink.heights.size(); ++i) {
    REQUIRE(sink.heights[i] == static_cast<std::int64_t>(i) + 1);
  }
}

TEST_CASE("beyond the bound on waiters a caller is answered at once with what is known") {
  Node node;
  std::promise<TransactionView> first;
  FinalityWatch small(*node.chain, 1);
  const auto far = std::chrono::steady_clock::now() + kLong;
  const Digest id = crypto::sha256(as_bytes("some transaction"));
  small.wait({id}, far, [&first](TransactionView view) { first.set_value(view); });
  std::optional<TransactionView> second;
  small.wait({id}, far, [&second](TransactionView view) { second = view; });
  REQUIRE(second);
  CHECK(second->status == TransactionStatus::unknown);
  CHECK(first.get_future().wait_for(std::chrono::seconds(0)) == std::future_status::timeout);
}

TEST_CASE("when the watch ends, whoever waits is answered") {
  std::future<TransactionView> waiting;
  {
    Node node;
    waiting = node.wait(crypto::sha256(as_bytes("some transaction")));
  }
  CHECK(get(std::move(waiting)).status == TransactionStatus::unknown);
}
