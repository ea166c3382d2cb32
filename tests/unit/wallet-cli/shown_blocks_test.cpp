// Whoever watches a chain over several nodes is told when the next one is on another branch.
#include "wallet-cli/shown_blocks.hpp"

#include <catch2/catch.hpp>
#include <map>

using namespace quorate::wallet;

namespace shown_blocks_test {
namespace {

struct Watched {
  ShownBlocks shown;
  std::map<std::uint64_t, std::string> node;  // the branch of the node that is asked
  int asked = 0;

  void show(std::uint64_t from, std::uint64_t to, const std::string& branch) {
    for (std::uint64_t at = from; at <= to; ++at) {
      shown.add({at, branch + std::to_string(at), {}});
    }
  }
  void serve(std::uint64_t from, std::uint64_t to, const std::string& branch) {
    node.erase(node.lower_bound(from), node.end());
    for (std::uint64_t at = from; at <= to; ++at) node[at] = branch + std::to_string(at);
  }
  ShownBlocks::Comparison compare() {
    asked = 0;
    const auto lookup = [this](std::uint64_t height) -> Outcome<std::optional<std::string>> {
      ++asked;
      const auto found = node.find(height);
      if (found == node.end()) return std::nullopt;
      return found->second;
    };
    return shown.compare(lookup).value();
  }
};

}  // namespace

TEST_CASE("a node on the same branch goes on where the other one ended") {
  Watched watched;
  watched.show(10, 1000, "a");
  watched.serve(1, 1200, "a");
  const auto same = watched.compare();
  CHECK(same.reversed.empty());
  CHECK_FALSE(same.behind);
  CHECK(same.next == 1001);
  CHECK(watched.asked == 1);
}

TEST_CASE("a node on another branch: what was shown above the fork is reversed, and told once") {
  Watched watched;
  watched.show(10, 1000, "a");
  watched.serve(1, 990, "a");
  watched.serve(991, 1005, "b");
  const auto other = watched.compare();
  REQUIRE(other.reversed.size() == 10);
  CHECK(other.reversed.front().height == 991);
  CHECK(other.reversed.back().height == 1000);
  CHECK(other.next == 991);
  CHECK_FALSE(other.behind);
  CHECK(watched.asked < 20);
  const auto again = watched.compare();
  CHECK(again.reversed.empty());
  CHECK(again.next == 991);
}

TEST_CASE("a heavier branch may be the shorter one") {
  Watched watched;
  watched.show(1, 100, "a");
  watched.serve(1, 90, "a");
  watched.serve(91, 95, "b");
  const auto other = watched.compare();
  REQUIRE(other.reversed.size() == 10);
  CHECK(other.next == 91);
  CHECK_FALSE(other.behind);
}

TEST_CASE("a node that is behind on the same branch has reversed nothing") {
  Watched watched;
  watched.show(1, 100, "a");
  watched.serve(1, 95, "a");
  const auto late = watched.compare();
  CHECK(late.behind);
  CHECK(late.reversed.empty());
  watched.serve(96, 101, "a");
  const auto there = watched.compare();
  CHECK_FALSE(there.behind);
  CHECK(there.next == 101);
}

TEST_CASE("everything that was shown may be gone, and some heights were never shown") {
  Watched watched;
  watched.shown.add({50, "a50", {"0x01"}});
  watched.shown.add({60, "a60", {"0x02", "0x03"}});
  watched.serve(1, 40, "a");
  watched.serve(41, 70, "b");
  const auto gone = watched.compare();
  REQUIRE(gone.reversed.size() == 2);
  CHECK(gone.reversed[1].transactions == std::vector<std::string>{"0x02", "0x03"});
  CHECK(gone.next == 50);
  CHECK(watched.shown.empty());
}

TEST_CASE("what a node itself says is reversed is not told again") {
  Watched watched;
  watched.show(1, 100, "a");
  watched.shown.drop_from(98);
  watched.show(98, 99, "b");
  watched.serve(1, 97, "a");
  watched.serve(98, 120, "b");
  const auto same = watched.compare();
  CHECK(same.reversed.empty());
  CHECK(same.next == 100);
}

}  // namespace shown_blocks_test
