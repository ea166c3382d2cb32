// A light client follows the branch with the most work, whatever nodes show it.
#include "rpc/client/work_chain.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "crypto/hash.hpp"
#include "tests/unit/ledger/fixture.hpp"
#include "tests/unit/rpc/fake_branch.hpp"

using namespace quorate;
using namespace quorate::rpc;
using quorate::rpc::test::FakeBranch;

namespace work = crypto::work;

namespace {

ledger::Genesis work_genesis(const std::string& name = "unit-work") {
  ledger::Genesis genesis = ledger::test::small_genesis();
  genesis.chain_name = name;
  quorate::rpc::test::prove_by_work(genesis);
  return genesis;
}

Digest mark(std::uint64_t number) {
  return crypto::sha256(as_bytes("mark " + std::to_string(number)));
}

void grow(FakeBranch& branch, std::uint64_t blocks, std::uint64_t seed = 0) {
  for (std::uint64_t i = 0; i < blocks; ++i) branch.mine({}, mark(seed + i));
}

struct Client {
  ledger::Genesis genesis = work_genesis();
  FakeBranch branch{genesis};
  WorkChain chain = WorkChain::open(genesis, std::nullopt).value();
  std::uint64_t asked = 0;

  WallMs now(std::uint64_t seconds = 100'000) const {
    return genesis.genesis_time.saturating_add(seconds * 1000);
  }
  WorkChain::Source show(const FakeBranch& of) {
    return [this, &of](Height from, std::uint32_t limit) -> Result<std::vector<Bytes>> {
      ++asked;
      return of.page(from, limit);
    };
  }
  // The branch, with one header changed in a way of the test's choice.
  WorkChain::Source lie(Height at, const std::function<void(work::Header&)>& change) {
    return [this, at, change](Height from, std::uint32_t limit) -> Result<std::vector<Bytes>> {
      std::vector<Bytes> page = branch.page(from, limit);
      for (Bytes& bytes : page) {
        work::Header header = work::decode_header(bytes).value();
        if (header.height != at) continue;
        change(header);
        bytes = work::encode(header);
      }
      return page;
    };
  }
  void refused(const WorkChain::Source& source, Errc code, const std::string& why) {
    const Height before = chain.tip();
    const Digest id = chain.tip_id();
    const auto taken = chain.follow(source, now());
    REQUIRE_FALSE(taken.has_value());
    CHECK(taken.error().code == code);
    INFO(taken.error().detail);
    CHECK(taken.error().detail.find(why) != std::string::npos);
    CHECK(chain.tip() >= before);
    if (chain.tip() == before) CHECK(chain.tip_id() == id);
  }
};

std::filesystem::path fresh_file() {
  std::string folder = (std::filesystem::temp_directory_path() / "quorate-work-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  return std::filesystem::path(folder) / "headers" / "chain.headers";
}

}  // namespace

TEST_CASE("headers are downloaded page by page from genesis, and later only what is new") {
  Client client;
  grow(client.branch, 2'300);
  CHECK(client.chain.follow(client.show(client.branch), client.now()).value());
  CHECK(client.chain.tip() == Height(2'300));
  CHECK(client.chain.tip_id() == client.branch.context().id);
  CHECK(client.chain.total_work() == client.branch.context().total_work);
  CHECK(client.chain.depth(Height(2'300)) == 1);
  CHECK(client.chain.depth(Height(2'295)) == 6);
  CHECK(client.chain.depth(Height(2'301)) == 0);
  CHECK(client.chain.id(Height(17)).value() == work::id_of(client.branch.header(Height(17))));
  CHECK(client.asked == 3);
  CHECK_FALSE(client.chain.follow(client.show(client.branch), client.now()).value());
  CHECK(client.asked == 5);
}

TEST_CASE("the branch with the most work wins, not the one that was shown first") {
  Client client;
  grow(client.branch, 30);
  CHECK(client.chain.follow(client.show(client.branch), client.now()).value());
  FakeBranch other = client.branch;
  other.cut(Height(21));
  grow(other, 12, 500);
  CHECK(client.chain.follow(client.show(other), client.now()).value());
  CHECK(client.chain.tip() == Height(33));
  CHECK(client.chain.tip_id() == other.context().id);
  CHECK(client.chain.total_work() == other.context().total_work);
  // The lighter one does not win it back.
  CHECK_FALSE(client.chain.follow(client.show(client.branch), client.now()).value());
  CHECK(client.chain.tip_id() == other.context().id);
  grow(client.branch, 4, 900);
  CHECK(client.chain.follow(client.show(client.branch), client.now()).value());
  CHECK(client.chain.tip_id() == client.branch.context().id);
}

TEST_CASE("a branch of more blocks with less work loses") {
  Client client;
  // Blocks that come in time keep their two hashes; those that come as fast as the rules let them
  // become harder.
  for (int i = 0; i < 400; ++i) {
    const work::Context& parent = client.branch.context();
    const std::uint64_t earliest = client.branch.rules().earliest_time(parent);
    client.branch.mine({}, mark(1), earliest > parent.time_s ? earliest - parent.time_s : 0);
  }
  FakeBranch slow(client.genesis);
  grow(slow, 420);
  REQUIRE(slow.tip() > client.branch.tip());
  REQUIRE(slow.context().total_work < client.branch.context().total_work);
  CHECK(client.chain.follow(client.show(client.branch), client.now()).value());
  CHECK_FALSE(client.chain.follow(client.show(slow), client.now()).value());
  CHECK(client.chain.tip_id() == client.branch.context().id);
}

TEST_CASE("a header that breaks a rule is refused, and what was checked before stays") {
  Client client;
  grow(client.branch, 20);
  const Height at(15);
  client.refused(client.lie(at,
                            [](work::Header& header) {
                              header.exec_ref = mark(7);
                              FakeBranch::spoil(header);
                            }),
                 Errc::rejected, "does not prove the work");
  CHECK(client.chain.tip() == Height(14));
  client.refused(client.lie(at,
                            [](work::Header& header) {
                              header.parent = mark(8);
                              FakeBranch::work_on(header);
                            }),
                 Errc::unavailable, "another branch");
  client.refused(client.lie(Height(16),
                            [](work::Header& header) {
                              header.parent = mark(8);
                              FakeBranch::work_on(header);
                            }),
                 Errc::rejected, "another parent");
  CHECK(client.chain.tip() == Height(15));
  client.refused(client.lie(Height(16),
                            [](work::Header& header) {
                              header.time_s -= 20;
                              FakeBranch::work_on(header);
                            }),
                 Errc::rejected, "has time");
  client.refused(client.lie(Height(16),
                            [](work::Header& header) {
                              header.bits = 0x20400000;
                              FakeBranch::work_on(header);
                            }),
                 Errc::rejected, "the rules give");
  client.refused(client.lie(Height(16),
                            [](work::Header& header) {
                              header.miner = PublicKey{};
                              FakeBranch::work_on(header);
                            }),
                 Errc::rejected, "no validator");
  client.refused(client.lie(Height(16),
                            [](work::Header& header) {
                              header.chain_id = mark(9);
                              FakeBranch::work_on(header);
                            }),
                 Errc::rejected, "another chain");
  CHECK(client.chain.follow(client.show(client.branch), client.now()).value());
  CHECK(client.chain.tip() == Height(20));
}

TEST_CASE("another chain's headers are no help") {
  Client client;
  const ledger::Genesis foreign = work_genesis("another");
  FakeBranch other(foreign);
  grow(other, 50);
  client.refused(client.show(other), Errc::rejected, "another chain");
  CHECK(client.chain.tip() == Height(0));
}

TEST_CASE("headers from the future wait until it is time for them") {
  Client client;
  grow(client.branch, 5);
  client.branch.mine({}, mark(1), 1'000);
  CHECK(client.chain.follow(client.show(client.branch), client.now(5)).value());
  CHECK(client.chain.tip() == Height(5));
  CHECK(client.chain.follow(client.show(client.branch), client.now(1'005)).value());
  CHECK(client.chain.tip() == Height(6));
}

TEST_CASE("answers of the wrong form are refused") {
  Client client;
  grow(client.branch, 20);
  const auto from = [&](auto answer) {
    return client.chain.follow(
        [answer](Height, std::uint32_t) -> Result<std::vector<Bytes>> { return answer(); },
        client.now());
  };
  CHECK(from([] { return std::vector<Bytes>{{1, 2, 3}}; }).error().code == Errc::bad_encoding);
  CHECK(from([&] { return client.branch.page(Height(2), 1); }).error().code == Errc::bad_encoding);
  CHECK(from([&] { return std::vector<Bytes>(1'001, client.branch.page(Height(1), 1)[0]); })
            .error()
            .code == Errc::bad_encoding);
  const auto silent = client.chain.follow(
      [](Height, std::uint32_t) -> Result<std::vector<Bytes>> {
        return fail(Errc::unavailable, "gone");
      },
      client.now());
  CHECK(silent.error().detail == "gone");
  CHECK(client.chain.tip() == Height(0));
}

TEST_CASE("what was checked is kept in a file, and a damaged end starts over") {
  Client client;
  grow(client.branch, 700);
  const std::filesystem::path file = fresh_file();
  {
    WorkChain first = WorkChain::open(client.genesis, file).value();
    REQUIRE(first.follow(client.show(client.branch), client.now()).value());
  }
  client.asked = 0;
  grow(client.branch, 3);
  {
    WorkChain second = WorkChain::open(client.genesis, file).value();
    CHECK(second.tip() == Height(700));
    CHECK(second.follow(client.show(client.branch), client.now()).value());
    CHECK(second.tip_id() == client.branch.context().id);
    CHECK(second.total_work() == client.branch.context().total_work);
    CHECK(client.asked == 2);
    // Who comes while it is open works on a copy, and neither spoils the other's.
    WorkChain third = WorkChain::open(client.genesis, file).value();
    CHECK(third.tip() == Height(703));
    grow(client.branch, 1);
    CHECK(third.follow(client.show(client.branch), client.now()).value());
    CHECK(second.tip() == Height(703));
  }
  // A record that was written by half is forgotten, and written again.
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 100);
  CHECK(WorkChain::open(client.genesis, file).value().tip() == Height(702));
  {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(-300, std::ios::end);
    bytes.write("damage", 6);
  }
  WorkChain again = WorkChain::open(client.genesis, file).value();
  CHECK(again.tip() == Height(0));
  CHECK(again.follow(client.show(client.branch), client.now()).value());
  CHECK(again.tip() == Height(704));
  std::filesystem::remove_all(file.parent_path().parent_path());
}

TEST_CASE("a node that switches branches between two pages is asked again later") {
  Client client;
  grow(client.branch, 1'500);
  FakeBranch other = client.branch;
  other.cut(Height(900));
  grow(other, 700, 5'000);
  bool switched = false;
  const auto source = [&](Height from, std::uint32_t limit) -> Result<std::vector<Bytes>> {
    const auto page = (switched ? other : client.branch).page(from, limit);
    switched = true;
    return page;
  };
  client.refused(source, Errc::unavailable, "another branch");
  CHECK(client.chain.tip() == Height(1'000));
  CHECK(client.chain.follow(source, client.now()).value());
  CHECK(client.chain.tip_id() == other.context().id);
}
