#include "ledger/chain.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <random>
#include <thread>

#include "ledger/memory_store.hpp"
#include "ledger/storage_layout.hpp"
#include "tests/unit/ledger/fixture.hpp"

namespace quorate::ledger::chain_test {
namespace {

using namespace test;

struct Setup {
  Genesis genesis = small_genesis();
  Digest id = ledger::chain_id(genesis);
  MemoryStore store;
  std::unique_ptr<Chain> chain = reopened();

  std::unique_ptr<Chain> reopened(ChainOptions options = {}) {
    auto opened = Chain::open(store, genesis, options);
    REQUIRE(opened.has_value());
    return std::move(*opened);
  }
  ExecutedBlock execute(OrderedBlock block) {
    std::vector<OrderedBlock> blocks;
    blocks.push_back(std::move(block));
    auto done = chain->execute(std::move(blocks));
    REQUIRE(done.has_value());
    REQUIRE(done->size() == 1);
    return std::move(done->front());
  }
};

}  // namespace

TEST_CASE("an empty store becomes a chain with the genesis block") {
  Setup setup;
  const Chain& chain = *setup.chain;
  CHECK(chain.head().height == Height(0));
  CHECK(chain.certified_height() == Height(0));
  CHECK(chain.chain_id() == setup.id);
  CHECK(chain.state()->account(address("anna"))->balance == 1000);
  CHECK_FALSE(chain.state()->account(address("dora")).has_value());
  const Header header = *chain.header(Height(0));
  CHECK(header.time == setup.genesis.genesis_time);
  CHECK(header.state_root == chain.state()->root());
  CHECK(header.config_hash == config_hash(setup.genesis));
  CHECK(chain.head().block_hash == block_hash(header));
  CHECK(chain.block(Height(0))->commit_certificate.empty());
  CHECK(chain.certificate(Height(0))->seals.empty());
}

TEST_CASE("a block is stored with everything that is asked about it") {
  Setup setup;
  const auto good = transfer(setup.id, "anna", 1, "dora", 25);
  const auto poor = transfer(setup.id, "ben", 1, "anna", 501);
  const auto early = transfer(setup.id, "cleo", 9, "anna", 1);
  const OrderedBlock block = ordered(Height(1), {good, poor, early}, WallMs(1'900'000'000'500));
  const ExecutedBlock executed = setup.execute(block);

  const Header& header = executed.header;
  CHECK(header.height == Height(1));
  CHECK(header.time == WallMs(1'900'000'000'500));
  CHECK(header.proposer == block.proposer);
  CHECK(header.payload_id == block.payload_id);
  CHECK(header.transaction_count == 3);
  CHECK(header.parent_hash == block_hash(*setup.chain->header(Height(0))));
  CHECK(header.transactions_root == merkle_root({good->id, poor->id, early->id}));
  CHECK(header.state_root == executed.state->root());
  CHECK(executed.checkpoint_digest == checkpoint_digest(header));

  const Chain& chain = *setup.chain;
  CHECK(chain.head().height == Height(1));
  CHECK(chain.head().block_hash == executed.block_hash);
  CHECK(chain.head().payload_id == block.payload_id);
  CHECK(*chain.header(Height(1)) == header);
  CHECK(chain.block(Height(1))->payload == block.payload);
  CHECK(chain.block(Height(1))->commit_certificate == block.commit_certificate);
  CHECK(*chain.height_of(executed.block_hash) == Height(1));
  CHECK(*chain.height_of_payload(block.payload_id) == Height(1));
  CHECK(*chain.receipts(Height(1)) == executed.receipts);
  CHECK(chain.find(good->id)->receipt.outcome == Outcome::succeeded);
  CHECK(chain.find(poor->id)->receipt.outcome == Outcome::failed);
  CHECK(chain.find(poor->id)->index == 1);
  CHECK(chain.find(early->id).error().code == Errc::not_found);
  CHECK(chain.state()->account(address("dora"))->balance == 25);

  std::vector<Digest> leaves;
  for (const Receipt& receipt : executed.receipts) leaves.push_back(receipt_leaf(receipt));
  CHECK(merkle_verify(header.receipts_root, leaves[1], merkle_prove(leaves, 1)));
}

TEST_CASE("what is not there is not_found") {
  Setup setup;
  CHECK(setup.chain->header(Height(1)).error().code == Errc::not_found);
  CHECK(setup.chain->block(Height(1)).error().code == Errc::not_found);
  CHECK(setup.chain->receipts(Height(1)).error().code == Errc::not_found);
  CHECK(setup.chain->certificate(Height(1)).error().code == Errc::not_found);
  CHECK(setup.chain->height_of(Digest{}).error().code == Errc::not_found);
  CHECK(setup.chain->height_of_payload(Digest{}).error().code == Errc::not_found);
  CHECK_FALSE(setup.chain->state_at(Height(1)).has_value());
}

TEST_CASE("blocks executed one by one and in one batch are the same") {
  Setup one;
  Setup batch;
  std::vector<OrderedBlock> blocks;
  for (std::uint64_t height = 1; height <= 20; ++height) {
    std::vector<TransactionPtr> transactions = {transfer(one.id, "anna", height, "ben", height),
                                                transfer(one.id, "ben", height, "cleo", 7)};
    OrderedBlock block = height % 5 == 0 ? null_block(Height(height))
                                         : ordered(Height(height), std::move(transactions));
    one.execute(block);
    blocks.push_back(std::move(block));
  }
  const auto done = batch.chain->execute(blocks);
  REQUIRE(done.has_value());
  CHECK(done->size() == 20);
  CHECK(batch.chain->head().block_hash == one.chain->head().block_hash);
  for (std::uint64_t height = 0; height <= 20; ++height) {
    CHECK(*one.chain->header(Height(height)) == *batch.chain->header(Height(height)));
  }
  CHECK(one.store.size_bytes() == batch.store.size_bytes());
}

TEST_CASE("a null block changes nothing and takes the next millisecond") {
  Setup setup;
  const Digest root = setup.chain->state()->root();
  const ExecutedBlock block = setup.execute(null_block(Height(1)));
  CHECK(block.header.state_root == root);
  CHECK(block.header.time == WallMs(setup.genesis.genesis_time.value() + 1));
  CHECK(block.header.proposer.is_zero());
  CHECK(block.header.transaction_count == 0);
  CHECK(setup.chain->block(Height(1))->payload.empty());
}

TEST_CASE("a chain opens again where it was") {
  Setup setup;
  setup.execute(ordered(Height(1), {transfer(setup.id, "anna", 1, "dora", 25)}));
  const ExecutedBlock last =
      setup.execute(ordered(Height(2), {transfer(setup.id, "dora", 1, "ben", 5)}));
  REQUIRE(setup.chain->store_seals(Height(1), seals_of(setup.genesis, last.header, {0, 1, 2})));
  setup.chain = setup.reopened();
  CHECK(setup.chain->head().block_hash == last.block_hash);
  CHECK(setup.chain->state()->root() == last.header.state_root);
  CHECK(setup.chain->certified_height() == Height(1));
  CHECK_FALSE(setup.chain->state_at(Height(1)).has_value());
  setup.execute(ordered(Height(3), {transfer(setup.id, "dora", 2, "ben", 5)}));
  CHECK(setup.chain->state()->account(address("ben"))->balance == 510);
}

TEST_CASE("a store of another chain or version is refused naming both") {
  Setup setup;
  Genesis other = setup.genesis;
  other.chain_name = "another";
  const auto chain = Chain::open(setup.store, other);
  REQUIRE_FALSE(chain.has_value());
  CHECK(chain.error().code == Errc::conflict);
  CHECK(chain.error().detail.find(to_0x(setup.id)) != std::string::npos);
  CHECK(chain.error().detail.find(to_0x(ledger::chain_id(other))) != std::string::npos);

  WriteBatch batch;
  batch.put(Family::meta, layout::meta_key(layout::kVersionKey), layout::encode_version(77));
  REQUIRE(setup.store.write(batch, true));
  const auto version = Chain::open(setup.store, setup.genesis);
  REQUIRE_FALSE(version.has_value());
  CHECK(version.error().code == Errc::conflict);
  CHECK(version.error().detail.find("version 77") != std::string::npos);
  CHECK(version.error().detail.find("version 1;") != std::string::npos);
}

TEST_CASE("stored accounts that do not lead to the head's root are corrupt") {
  Setup setup;
  setup.execute(ordered(Height(1), {transfer(setup.id, "anna", 1, "ben", 1)}));
  WriteBatch batch;
  batch.put(Family::state, to_bytes(state_key(address("anna"))),
            layout::encode_state({address("anna"), {1'000'000, 1}}));
  REQUIRE(setup.store.write(batch, true));
  const auto opened = Chain::open(setup.store, setup.genesis);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == Errc::corrupt);
  CHECK(opened.error().detail.find("state root") != std::string::npos);
}

TEST_CASE("seals may arrive out of order and the newest height counts") {
  Setup setup;
  std::vector<Header> headers;
  for (std::uint64_t height = 1; height <= 4; ++height) {
    headers.push_back(setup.execute(null_block(Height(height))).header);
  }
  const auto seals = [&](std::size_t height) {
    return seals_of(setup.genesis, headers[height - 1], {0, 2, 3});
  };
  REQUIRE(setup.chain->store_seals(Height(3), seals(3)));
  CHECK(setup.chain->certified_height() == Height(3));
  REQUIRE(setup.chain->store_seals(Height(1), seals(1)));
  CHECK(setup.chain->certified_height() == Height(3));
  CHECK(setup.chain->certificate(Height(2)).error().code == Errc::not_found);
  const crypto::Ed25519Verifier verifier;
  const auto certificate = setup.chain->certificate(Height(3));
  REQUIRE(certificate.has_value());
  CHECK(verify(*certificate, membership(setup.genesis), verifier).has_value());

  CHECK_FALSE(setup.chain->store_seals(Height(5), seals(3)).has_value());
  CHECK_FALSE(setup.chain->store_seals(Height(0), seals(3)).has_value());
  CHECK_FALSE(
      setup.chain->store_seals(Height(4), seals_of(setup.genesis, headers[3], {0, 1})).has_value());
  CHECK(setup.chain->certified_height() == Height(3));

  // Unsynced seals are lost by a crash, blocks never are.
  setup.chain.reset();
  setup.store.drop_unsynced(1);
  setup.chain = setup.reopened();
  CHECK(setup.chain->certified_height() == Height(3));
  CHECK(setup.chain->certificate(Height(1)).error().code == Errc::not_found);
  setup.store.drop_unsynced();
  CHECK(setup.chain->head().height == Height(4));
}

TEST_CASE(
    "of a chain without seals everything executed counts as certified, also after a restart") {
  Setup setup;
  setup.chain.reset();
  setup.chain = setup.reopened({.seals = false});
  for (std::uint64_t height = 1; height <= 3; ++height) {
    setup.execute(null_block(Height(height)));
    CHECK(setup.chain->certified_height() == Height(height));
    REQUIRE(setup.chain->certified_state().has_value());
    CHECK((*setup.chain->certified_state())->height() == Height(height));
  }
  setup.chain.reset();
  setup.chain = setup.reopened({.seals = false});
  CHECK(setup.chain->certified_height() == Height(3));
  CHECK(setup.chain->certified_state().has_value());
}

TEST_CASE("a crash at any point leaves every executed block and some prefix of the seals") {
  std::mt19937_64 random(3);
  for (int run = 0; run < 12; ++run) {
    Setup setup;
    Setup reference;  // never crashes
    std::map<std::string, std::uint64_t> nonces;
    for (int step = 0; step < 60; ++step) {
      const std::uint64_t head = setup.chain->head().height.value();
      if (const auto dice = random() % 10; dice < 6) {
        std::vector<OrderedBlock> blocks;
        for (std::uint64_t i = 1; i <= 1 + random() % 3; ++i) {
          const std::string from = random() % 2 == 0 ? "anna" : "ben";
          blocks.push_back(
              ordered(Height(head + i), {transfer(setup.id, from, ++nonces[from], "cleo", 1)}));
        }
        REQUIRE(reference.chain->execute(blocks));
        REQUIRE(setup.chain->execute(std::move(blocks)));
      } else if (dice < 8 && head > 0) {
        const Height height(1 + random() % head);
        REQUIRE(setup.chain->store_seals(
            height, seals_of(setup.genesis, *setup.chain->header(height), {0, 1, 2})));
      } else {
        const Height certified = setup.chain->certified_height();
        setup.chain.reset();
        setup.store.drop_unsynced(random() % 4);
        setup.chain = setup.reopened();
        REQUIRE(setup.chain->certified_height() <= certified);
        REQUIRE(setup.chain->certificate(setup.chain->certified_height()).has_value());
      }
      REQUIRE(setup.chain->head().block_hash == reference.chain->head().block_hash);
      REQUIRE(setup.chain->state()->root() == reference.chain->state()->root());
    }
  }
}

TEST_CASE("a batch whose write fails changes nothing, on disk or in memory") {
  Setup setup;
  setup.execute(ordered(Height(1), {transfer(setup.id, "anna", 1, "ben", 1)}));
  const Head head = setup.chain->head();
  const Digest root = setup.chain->state()->root();
  setup.store.fail_after(0);
  const auto failed = setup.chain->execute(
      {ordered(Height(2), {transfer(setup.id, "anna", 2, "ben", 1)}), null_block(Height(3))});
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().code == Errc::io);
  CHECK(setup.chain->head().block_hash == head.block_hash);
  CHECK(setup.chain->state()->root() == root);
  setup.store.heal();
  setup.chain = setup.reopened();
  CHECK(setup.chain->head().block_hash == head.block_hash);
  CHECK(setup.chain->header(Height(2)).error().code == Errc::not_found);
}

TEST_CASE("a crash before the genesis is durable leaves an empty store") {
  MemoryStore store;
  store.fail_after(0);
  CHECK(Chain::open(store, small_genesis()).error().code == Errc::io);
  store.heal();
  CHECK(store.size_bytes() == 0);
  CHECK(Chain::open(store, small_genesis()).has_value());
}

TEST_CASE("readers on other threads see whole blocks only") {
  Setup setup;
  constexpr std::uint64_t kBlocks = 200;
  std::atomic<bool> wrong = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&setup, &wrong] {
      const Chain& chain = *setup.chain;
      for (Height height(0); height < Height(kBlocks);) {
        const Height certified = chain.certified_height();
        const Head head = chain.head();
        const StateViewPtr state = chain.state();
        const auto header = chain.header(head.height);
        const auto receipts = chain.receipts(head.height);
        const auto at_head = chain.state_at(head.height);  // none when 64 more were certified
        const auto sealed = chain.certified_state();
        const auto total =
            state->account(address("anna"))->balance + state->account(address("ben"))->balance;
        if (head.height < height || state->height() < head.height || !header || !receipts ||
            block_hash(*header) != head.block_hash || !sealed || (*sealed)->height() < certified ||
            (at_head && (*at_head)->root() != header->state_root) || total != 1500 ||
            certified > head.height) {
          wrong = true;
        }
        height = head.height;
      }
    });
  }
  for (std::uint64_t height = 1; height <= kBlocks; ++height) {
    const ExecutedBlock block =
        setup.execute(ordered(Height(height), {transfer(setup.id, "anna", height, "ben", 1)}));
    REQUIRE(
        setup.chain->store_seals(Height(height), seals_of(setup.genesis, block.header, {0, 1, 2})));
  }
  for (std::thread& reader : readers) reader.join();
  CHECK_FALSE(wrong);
}

TEST_CASE("states stay at hand from the certified height on, 256 at most") {
  Setup setup;
  std::vector<Digest> roots = {setup.chain->state()->root()};
  const StateViewPtr genesis_state = setup.chain->state();
  for (std::uint64_t height = 1; height <= 300; ++height) {
    roots.push_back(
        setup.execute(ordered(Height(height), {transfer(setup.id, "anna", height, "ben", 1)}))
            .header.state_root);
  }
  for (std::uint64_t height = 45; height <= 300; ++height) {
    const auto view = setup.chain->state_at(Height(height));
    REQUIRE(view.has_value());
    CHECK((*view)->height() == Height(height));
    CHECK((*view)->root() == roots[height]);
  }
  CHECK_FALSE(setup.chain->state_at(Height(40)).has_value());

  const auto certify = [&setup](std::uint64_t height) {
    const Header header = *setup.chain->header(Height(height));
    REQUIRE(setup.chain->store_seals(Height(height), seals_of(setup.genesis, header, {0, 1, 2})));
  };
  certify(290);
  CHECK((*setup.chain->state_at(Height(290)))->root() == roots[290]);
  CHECK((*setup.chain->state_at(Height(226)))->root() == roots[226]);
  CHECK_FALSE(setup.chain->state_at(Height(225)).has_value());
  CHECK((*setup.chain->certified_state())->height() == Height(290));
  certify(100);
  CHECK((*setup.chain->state_at(Height(226)))->root() == roots[226]);
  certify(300);
  CHECK((*setup.chain->state_at(Height(300)))->root() == roots[300]);
  CHECK_FALSE(setup.chain->state_at(Height(235)).has_value());
  CHECK(genesis_state->account(address("anna"))->balance == 1000);
}

}  // namespace quorate::ledger::chain_test
