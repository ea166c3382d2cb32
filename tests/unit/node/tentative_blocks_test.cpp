#include "node/tentative_blocks.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/node/core_fixture.hpp"

using namespace quorate;
using namespace quorate::node;
using namespace quorate::node::testing;

namespace {

using Transactions = std::vector<ledger::TransactionPtr>;

Digest id(std::uint8_t number) {
  Digest out;
  out.bytes.fill(number);
  return out;
}

struct Setup {
  ledger::TransactionPtr a = transaction({1, 1});
  ledger::TransactionPtr b = transaction({2, 1});
  ledger::TransactionPtr c = transaction({3, 1});
  TentativeBlocks blocks;

  void put(std::uint8_t number, std::uint64_t height, const Transactions& content) {
    blocks.put(Height(height), id(number), {number}, &content);
  }
};

}  // namespace

TEST_CASE("a transaction stands at the height of the block that has it") {
  Setup setup;
  setup.put(1, 5, {setup.a});
  setup.put(2, 6, {setup.b});
  CHECK(setup.blocks.find(setup.a->id) == Height(5));
  CHECK(setup.blocks.find(setup.b->id) == Height(6));
  CHECK_FALSE(setup.blocks.find(setup.c->id));
  CHECK(setup.blocks.branch() ==
        TentativeBranch{{Height(5), {id(1), {1}}}, {Height(6), {id(2), {2}}}});
}

TEST_CASE("another block of a height takes the place of the one before") {
  Setup setup;
  setup.put(1, 5, {setup.a});
  setup.put(2, 5, {setup.b, setup.c});
  CHECK_FALSE(setup.blocks.find(setup.a->id));
  CHECK(setup.blocks.find(setup.c->id) == Height(5));
  CHECK(setup.blocks.branch() == TentativeBranch{{Height(5), {id(2), {2}}}});
}

TEST_CASE("a transaction in two blocks stands in the lower one, and in the other when that goes") {
  Setup setup;
  setup.put(2, 6, {setup.a});
  setup.put(1, 5, {setup.a});
  CHECK(setup.blocks.find(setup.a->id) == Height(5));
  setup.put(3, 5, {setup.b});
  CHECK(setup.blocks.find(setup.a->id) == Height(6));
}

TEST_CASE("what is executed or no longer ordered is gone") {
  Setup setup;
  setup.put(1, 5, {setup.a});
  setup.put(2, 6, {setup.b});
  setup.put(3, 7, {setup.c});
  setup.blocks.drop_above(Height(6));
  CHECK_FALSE(setup.blocks.find(setup.c->id));
  setup.blocks.executed(Height(5));
  CHECK_FALSE(setup.blocks.find(setup.a->id));
  CHECK(setup.blocks.find(setup.b->id) == Height(6));
  setup.blocks.executed(Height(6));
  CHECK(setup.blocks.memory_bytes() == 0);
}

TEST_CASE("a block may be ordered before its payload is known here") {
  Setup setup;
  setup.blocks.put(Height(5), id(1), {1}, nullptr);
  CHECK_FALSE(setup.blocks.find(setup.a->id));
  setup.blocks.put(Height(5), id(1), {}, nullptr);
  const Transactions content = {setup.a};
  setup.blocks.put(Height(5), id(1), {}, &content);
  CHECK(setup.blocks.find(setup.a->id) == Height(5));
  CHECK(setup.blocks.branch() == TentativeBranch{{Height(5), {id(1), {1}}}});
}
