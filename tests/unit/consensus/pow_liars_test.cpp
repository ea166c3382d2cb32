// Networks of proof-of-work engines with a member who wants to stop the others, or to keep one from
// them, and has little hash power or none. The member is played by hand.
#include <catch2/catch.hpp>

#include "tests/unit/consensus/pow_cluster.hpp"

using namespace quorate;
using namespace quorate::consensus;
using namespace quorate::consensus::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// A network, and every block that was ever sent in it.
struct Town {
  explicit Town(PowOptions options = {}) : cluster(options) {
    cluster.filter = [this](std::uint32_t from, std::uint32_t to, const pow::Message& message) {
      if (const auto* block = std::get_if<pow::FullBlock>(&message)) {
        blocks.emplace(block->header.id, *block);
      }
      return !passes || passes(from, to, message);
    };
  }
  // The preferred branch of a machine, lowest first.
  std::vector<pow::FullBlock> branch_of(std::uint32_t machine) {
    std::vector<pow::FullBlock> out;
    for (Digest id = cluster.branch(machine).tip_id; !id.is_zero();) {
      out.push_back(blocks.at(id));
      id = out.back().header.header.parent;
    }
    std::reverse(out.begin(), out.end());
    return out;
  }
  void tell(std::uint32_t liar, std::uint32_t machine, const pow::Message& message) {
    REQUIRE(cluster.deliver(liar, machine, pow::encode(message)));
  }

  std::map<Digest, pow::FullBlock> blocks;
  std::function<bool(std::uint32_t, std::uint32_t, const pow::Message&)> passes;
  PowCluster cluster;
};

std::uint64_t now_s(const Town& town) { return town.cluster.wall().value() / 1000; }

constexpr std::uint32_t kLiar = 3;
constexpr std::uint64_t kInterval = 2;

// Machines 0 to 2 mine for a while, and the liar is as far as they are.
struct Siege : Town {
  Siege() {
    for (std::uint32_t i = 0; i < kLiar; ++i) cluster.start(i);
    cluster.run_for(seconds(600));
  }
  // The headers of so many blocks on top of a machine's branch; nobody is given their payloads.
  pow::Announce withheld(std::uint32_t count) {
    Branch branch(cluster);
    for (const pow::FullBlock& block : branch_of(0)) branch.follow(block);
    branch.miner = kLiar;
    pow::Announce out;
    for (std::uint32_t i = 0; i < count; ++i) {
      kept.push_back(branch.next());
      out.headers.push_back(kept.back().header);
    }
    return out;
  }
  void tell_all(const pow::Message& message) {
    for (std::uint32_t i = 0; i < kLiar; ++i) tell(kLiar, i, message);
  }
  std::uint64_t tip() { return cluster.branch(0).tip.value(); }
  std::vector<pow::FullBlock> kept;
};

}  // namespace

TEST_CASE("withheld payloads stop mining for seconds, whatever old blocks are shown meanwhile") {
  Siege siege;
  const pow::FullBlock old = siege.branch_of(0).front();
  const std::uint64_t before = siege.tip();
  siege.tell_all(siege.withheld(3));
  siege.cluster.run_for(seconds(1));
  CHECK_FALSE(siege.cluster.branch(0).mining);
  for (int i = 0; i < 240; ++i) {
    siege.tell_all(old);
    siege.cluster.run_for(seconds(5));
  }
  const double mined = static_cast<double>(siege.tip() - before);
  CHECK(mined * kInterval / 1200 > 0.9);
}

TEST_CASE("who is always ahead by headers without payloads costs others a twentieth") {
  Siege siege;
  const std::uint64_t before = siege.tip();
  // As no minority can: three blocks at a time on whatever they have.
  for (int i = 0; i < 1200; ++i) {
    const bool ahead = siege.cluster.branch(0).best_header.value() > siege.tip() + 2;
    if (!ahead) siege.tell_all(siege.withheld(3));
    siege.cluster.run_for(seconds(1));
  }
  const double mined = static_cast<double>(siege.tip() - before);
  CHECK(mined * kInterval / 1200 > 0.85);
}

TEST_CASE("a member that gives no payloads costs whoever catches up seconds") {
  constexpr std::uint32_t kSilent = 1;
  constexpr std::uint32_t kNew = 3;
  Town town;
  for (std::uint32_t i = 0; i < kNew; ++i) town.cluster.start(i);
  town.passes = [](std::uint32_t from, std::uint32_t to, const pow::Message& message) {
    const bool payload = std::holds_alternative<pow::FullBlock>(message);
    return !payload || from != kSilent || to != kNew;
  };
  town.cluster.run_for(seconds(6'000));
  const Height tip = town.cluster.branch(0).tip;
  REQUIRE(tip > Height(2'000));
  town.cluster.machine(kNew).hashes_per_second = 0;
  town.cluster.start(kNew);
  CHECK(town.cluster.run_until([&] { return town.cluster.branch(kNew).tip >= tip; }, seconds(30)));
}

TEST_CASE("a withheld branch that is handed out slowly does not stop mining either") {
  Siege siege;
  const std::uint64_t before = siege.tip();
  siege.tell_all(siege.withheld(8));
  // One payload every nine seconds, the lowest of the missing ones first; each is worth a second.
  for (const pow::FullBlock& block : std::vector<pow::FullBlock>(siege.kept)) {
    siege.tell_all(block);
    siege.cluster.run_for(seconds(9));
  }
  const double mined = static_cast<double>(siege.tip() - before);
  CHECK(mined > 22);
}

TEST_CASE("a member without hash power cannot keep a new one from the chain by leading it on") {
  // What the liar answers to every question for headers.
  enum class Answer { known_header, known_page, new_header, nothing };
  const auto answer =
      GENERATE(Answer::known_header, Answer::known_page, Answer::new_header, Answer::nothing);
  CAPTURE(static_cast<int>(answer));
  constexpr std::uint32_t kFirst = 0;  // the liar: the one who is asked first in every life
  constexpr std::uint32_t kNew = 1;
  Town town;
  std::uint64_t asked_liar = 0;
  bool to_answer = false;
  town.passes = [&](std::uint32_t from, std::uint32_t to, const pow::Message& message) {
    if (from == kNew && to == kFirst && std::holds_alternative<pow::AskHeaders>(message)) {
      ++asked_liar;
      to_answer = true;
    }
    return true;
  };
  town.cluster.start(2);
  town.cluster.start(3);
  REQUIRE(town.cluster.run_until([&] { return town.cluster.machine(2).head() >= Height(300); },
                                 seconds(3000)));
  const std::vector<pow::FullBlock> chain = town.branch_of(2);
  pow::Headers page;
  page.more = answer != Answer::nothing;
  const std::size_t size = answer == Answer::known_page ? pow::kHeadersMax : 1;
  for (std::size_t i = 0; i < size; ++i) page.headers.push_back(chain[i].header);
  pow::Announce detached;
  detached.headers.push_back(chain[280].header);
  Branch own(town.cluster);  // of the liar: one block of little work after the other
  own.seconds_between = 120;
  town.cluster.start(kNew);
  const auto arrived = [&] { return town.cluster.machine(kNew).head() >= Height(300); };
  for (int tick = 0; tick < 1500 && !arrived(); ++tick) {
    if (answer == Answer::new_header && own.context().time_s < now_s(town) - 120) {
      page.headers.assign(1, own.next().header);
    }
    if (std::exchange(to_answer, false)) town.tell(kFirst, kNew, page);
    // And it says all the time that it has something.
    town.tell(kFirst, kNew, detached);
    town.cluster.run_for(milliseconds(20));
  }
  INFO(town.cluster.describe());
  CHECK(arrived());
  CHECK(asked_liar < 100);
}

TEST_CASE("a new member's questions go past a liar who never answers and has always news") {
  constexpr std::uint32_t kSilent = 0;
  constexpr std::uint32_t kNew = 1;
  Town town;
  town.cluster.start(2);
  town.cluster.start(3);
  REQUIRE(town.cluster.run_until([&] { return town.cluster.machine(2).head() >= Height(50); },
                                 seconds(1000)));
  pow::Announce detached;
  detached.headers.push_back(town.branch_of(2).at(40).header);
  // Those who have the chain say nothing unasked.
  town.passes = [](std::uint32_t, std::uint32_t to, const pow::Message& message) {
    return to != kNew || std::holds_alternative<pow::Headers>(message) ||
           std::holds_alternative<pow::FullBlock>(message);
  };
  town.cluster.start(kNew);
  const auto arrived = [&] { return town.cluster.machine(kNew).head() >= Height(50); };
  for (int tick = 0; tick < 1000 && !arrived(); ++tick) {
    town.tell(kSilent, kNew, detached);
    town.cluster.run_for(milliseconds(20));
  }
  INFO(town.cluster.describe());
  CHECK(arrived());
}
