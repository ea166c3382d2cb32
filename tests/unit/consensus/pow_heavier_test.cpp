// Many blocks of little work against few of much: the branch of most work wins, however far above
// what a replica looks at it ends; and what is only proved leads nobody astray for long.
#include <catch2/catch.hpp>

#include "tests/unit/consensus/pow_cluster.hpp"

using namespace quorate;
using namespace quorate::consensus;
using namespace quorate::consensus::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

void stop_mining(PowCluster& cluster, std::uint32_t index) {
  cluster.machine(index).hashes_per_second = 0;
  cluster.machine(index).working.reset();
}

PowOptions near_sighted(std::uint32_t members, std::uint64_t ahead) {
  PowOptions out;
  out.members = members;
  out.ahead_max = ahead;
  return out;
}

// Machine 0 makes few blocks of much work, then machine 1 many of little, which are more work in
// all; neither hears the other.
void mine_both(PowCluster& cluster, std::uint64_t few, std::uint64_t many) {
  cluster.machine(0).hashes_per_second = 524'288;
  cluster.machine(1).hashes_per_second = 131'072;
  cluster.filter = [](std::uint32_t from, std::uint32_t to, const pow::Message&) {
    return from + to != 1;
  };
  cluster.start(0);
  cluster.start(1);
  const auto has = [&](std::uint32_t index, std::uint64_t blocks) {
    return cluster.run_until([&] { return cluster.machine(index).head() >= Height(blocks); },
                             seconds(20'000));
  };
  REQUIRE(has(0, few));
  stop_mining(cluster, 0);
  REQUIRE(has(1, many));
  stop_mining(cluster, 1);
}

constexpr std::uint64_t kAhead = 200;
constexpr std::uint64_t kFew = 200;
constexpr std::uint64_t kMany = 1'200;

}  // namespace

TEST_CASE("few blocks of much work give way to many of little that are more work in all") {
  PowCluster cluster(near_sighted(2, kAhead));
  mine_both(cluster, kFew, kMany);
  cluster.filter = nullptr;
  const bool restarts = GENERATE(false, true);
  if (restarts) {
    // In the middle of it: what was proved is forgotten.
    const auto on_the_way = [&] {
      return !cluster.machine(0).rewinds.empty() && cluster.machine(0).head() > Height(kFew + 50);
    };
    REQUIRE(cluster.run_until(on_the_way, seconds(60)));
    REQUIRE(cluster.machine(0).head() < Height(kMany));
    cluster.crash(0);
    cluster.start(0);
  }
  const bool settled = cluster.settle(seconds(120));
  INFO(cluster.describe());
  REQUIRE(settled);
  CHECK(cluster.machine(0).head() >= Height(kMany));
  CHECK(cluster.machine(0).rewinds.size() <= (restarts ? 3 : 1));
  CHECK(cluster.machine(0).rejected.empty());
  CHECK(cluster.machine(1).rewinds.empty());
}

TEST_CASE("a new replica is not kept by few blocks of much work from the branch of most work") {
  PowCluster cluster(near_sighted(3, kAhead));
  mine_both(cluster, kFew, kMany);
  stop_mining(cluster, 2);
  cluster.start(2);
  const Digest heaviest = cluster.branch(1).tip_id;
  const bool follows =
      cluster.run_until([&] { return cluster.branch(2).tip_id == heaviest; }, seconds(120));
  INFO(cluster.describe());
  CHECK(follows);
}

TEST_CASE("whoever follows a long branch says how far behind it is") {
  PowCluster cluster(near_sighted(2, kAhead));
  mine_both(cluster, kFew, kMany);
  cluster.filter = nullptr;
  cluster.machine(0).hashes_per_second = 524'288;
  std::size_t mined_on_the_way = 0;
  cluster.on_output = [&](std::uint32_t index, const Output& output) {
    const bool behind = cluster.machine(0).head() > Height(kFew + 10);
    if (index == 0 && behind && std::holds_alternative<StartWork>(output)) ++mined_on_the_way;
  };
  const auto on_the_way = [&] { return cluster.machine(0).head() > Height(kFew + 50); };
  REQUIRE(cluster.run_until(on_the_way, seconds(60)));
  const Status status = cluster.engine(0).status();
  CHECK(status.highest_evidence >= Height(kMany - 5));
  CHECK_FALSE(status.branch->mining);
  REQUIRE(cluster.run_until([&] { return cluster.machine(0).head() >= Height(kMany - 10); },
                            seconds(60)));
  CHECK(mined_on_the_way == 0);
}

namespace {

constexpr std::uint32_t kVictim = 0;
constexpr std::uint32_t kGiver = 1;  // played by hand
constexpr std::uint64_t kNone = 0;
const Bytes kBad{0, 0, 0, 0, 66};  // a payload

// The victim has a short branch of much work. The giver answers from a longer one of more, of which
// the victim sees less than it has itself.
struct Contest {
  PowCluster cluster;
  HeaderServer giver;
  std::map<Digest, pow::FullBlock> payloads;  // that the giver hands out
  std::optional<Branch> before_last;          // the victim's, but for its last block
  Digest short_tip;
  Digest long_tip;
  std::vector<pow::AskHeaders> questions;
  std::vector<pow::AskBlocks> wanted;
  std::uint64_t asked = 0;

  // Of the long branch one block may be invalid: of height `invalid`; and the payloads from
  // `withheld` on are not given.
  Contest(std::uint64_t few, std::uint64_t many, std::uint64_t ahead, std::uint64_t invalid,
          std::uint64_t withheld, std::uint32_t members = 2)
      : cluster(near_sighted(members, ahead)) {
    cluster.judge = [](const Bytes& payload) { return payload != kBad; };
    cluster.filter = [this](std::uint32_t from, std::uint32_t to, const pow::Message& message) {
      if (from != kVictim || to != kGiver) return true;
      if (const auto* ask = std::get_if<pow::AskHeaders>(&message)) questions.push_back(*ask);
      if (std::holds_alternative<pow::AskHeaders>(message)) ++asked;
      if (const auto* ask = std::get_if<pow::AskBlocks>(&message)) wanted.push_back(*ask);
      return true;
    };
    for (std::uint32_t i = 0; i < members; ++i) {
      stop_mining(cluster, i);
      if (i != kGiver) cluster.start(i);
    }
    cluster.run_for(seconds(2 * static_cast<std::int64_t>(many) + 10));
    Branch heavy(cluster);
    heavy.seconds_between = 0;
    for (std::uint64_t i = 0; i < few; ++i) {
      if (i + 1 == few) before_last.emplace(heavy);
      const Bytes block = pow::encode(heavy.next());
      for (std::uint32_t to = 0; to < members; ++to) {
        if (to != kGiver) REQUIRE(cluster.deliver(kGiver, to, block));
      }
      cluster.run_for(milliseconds(50));
    }
    short_tip = cluster.branch(kVictim).tip_id;
    REQUIRE(cluster.branch(kVictim).tip == Height(few));
    Branch light(cluster);
    light.seconds_between = 2;
    crypto::work::Uint256 seen;
    const std::uint64_t usable =
        std::max(few + ahead, std::max(invalid, withheld) - (invalid + withheld == 0 ? 0 : 1));
    for (std::uint64_t height = 1; height <= many; ++height) {
      const pow::FullBlock block = light.next(height == invalid ? kBad : Bytes(4));
      giver.headers.push_back(block.header);
      if (withheld == kNone || height < withheld) payloads.emplace(block.header.id, block);
      if (height == usable) {
        seen = light.context().total_work;
      }
    }
    long_tip = giver.headers.back().id;
    REQUIRE(seen < heavy.context().total_work);
    REQUIRE(heavy.context().total_work < light.context().total_work);
  }
  void answer() {
    for (const pow::AskHeaders& question : std::exchange(questions, {})) {
      REQUIRE(cluster.deliver(kGiver, kVictim, pow::encode(giver.answer(question))));
    }
    for (const pow::AskBlocks& question : std::exchange(wanted, {})) {
      for (const Digest& id : question.ids) {
        const auto known = payloads.find(id);
        if (known != payloads.end()) {
          REQUIRE(cluster.deliver(kGiver, kVictim, pow::encode(known->second)));
        }
      }
    }
  }
  bool run_until(const std::function<bool()>& done, int limit_s) {
    for (int i = 0; i < limit_s * 50 && !done(); ++i) {
      answer();
      cluster.run_for(milliseconds(20));
    }
    return done();
  }
  void run_for(int limit_s) {
    run_until([] { return false; }, limit_s);
  }
  // The block of the long branch, whether the giver hands it out or not.
  pow::FullBlock block_at(std::uint64_t height) const {
    return {giver.headers.at(height - 1), std::make_shared<const Bytes>(4)};
  }
  void hand_out(std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t height = first; height <= last; ++height) {
      const pow::FullBlock block = block_at(height);
      payloads.emplace(block.header.id, block);
    }
  }
  // The first blocks of the long branch, to go on from.
  Branch first_of_long(std::uint64_t count) {
    Branch out(cluster);
    for (std::uint64_t height = 1; height <= count; ++height) out.follow(block_at(height));
    return out;
  }
  bool left() { return !cluster.machine(kVictim).rewinds.empty(); }
  bool back() { return cluster.branch(kVictim).tip_id == short_tip; }
  Digest ledger_tip() { return cluster.machine(kVictim).ledger.back().id; }
};

}  // namespace

TEST_CASE("a long branch with an invalid block far up is left again for the own one") {
  Contest contest(60, 130, 20, 81, kNone);
  const Digest own = contest.ledger_tip();
  REQUIRE(contest.run_until([&] { return contest.left(); }, 60));
  REQUIRE(contest.run_until([&] { return contest.back(); }, 60));
  contest.run_for(600);
  INFO(contest.cluster.describe());
  CHECK(contest.back());
  CHECK(contest.ledger_tip() == own);
  // Once there and once back; whoever broke a rule is named.
  CHECK(contest.cluster.machine(kVictim).rewinds.size() == 2);
  CHECK_FALSE(contest.cluster.machine(kVictim).rejected.empty());
  CHECK(contest.cluster.engine(kVictim).status().highest_evidence == Height(58));
}

TEST_CASE("an invalid block beside a long branch takes nothing from it") {
  Contest contest(60, 130, 20, kNone, kNone);
  REQUIRE(contest.run_until([&] { return contest.left(); }, 60));
  Branch beside = contest.first_of_long(78);
  const pow::FullBlock bad = beside.next(kBad);
  REQUIRE(contest.cluster.deliver(kGiver, kVictim, pow::encode(bad)));
  REQUIRE(contest.run_until(
      [&] { return contest.cluster.branch(kVictim).tip_id == contest.long_tip; }, 60));
  CHECK(contest.cluster.machine(kVictim).rewinds.size() == 1);
}

TEST_CASE("a long branch whose payloads are withheld is left again, and followed once they come") {
  // From within what the victim sees on, or from above it.
  const auto withheld = static_cast<std::uint64_t>(GENERATE(1, 110, 132));
  CAPTURE(withheld);
  const bool leads_on = withheld > 128;
  Contest contest(100, 260, 30, kNone, withheld, 3);
  const Digest own = contest.ledger_tip();
  PowMachine& victim = contest.cluster.machine(kVictim);
  const auto evidence = [&] { return contest.cluster.engine(kVictim).status().highest_evidence; };
  REQUIRE(contest.run_until([&] { return evidence() > Height(200); }, 60));
  if (leads_on) REQUIRE(contest.run_until([&] { return contest.left(); }, 60));
  CHECK(contest.back() != leads_on);
  const auto returned = [&] {
    return contest.back() && !victim.rewinding && victim.ledger.size() == 98 &&
           evidence() <= Height(160);
  };
  REQUIRE(contest.run_until(returned, 180));
  CHECK(contest.ledger_tip() == own);
  // It asks again, and does not leave its branch again for what it knows it cannot have.
  const std::size_t rewinds = victim.rewinds.size();
  const std::uint64_t questions = contest.asked;
  contest.run_for(1800);
  CHECK(victim.rewinds.size() == rewinds);
  CHECK(contest.asked > questions);
  CHECK(contest.asked < questions + 1800);
  contest.hand_out(1, 260);
  const auto followed = [&] { return contest.cluster.branch(kVictim).tip_id == contest.long_tip; };
  CHECK(contest.run_until(followed, 2 * 3600));
  INFO(contest.cluster.describe());
}

TEST_CASE("who hands out a long branch a block at a time keeps nobody on its way") {
  constexpr std::uint64_t kWithheld = 132;
  Contest contest(100, 9'000, 30, kNone, kWithheld, 3);
  REQUIRE(contest.run_until([&] { return contest.left(); }, 60));
  for (std::uint64_t height = kWithheld; height < kWithheld + 6; ++height) {
    contest.hand_out(height, height);
    contest.run_for(40);
  }
  INFO(contest.cluster.describe());
  CHECK(contest.back());
}

TEST_CASE("a slow ledger is no excuse for who hands out a long branch a block at a time") {
  constexpr std::uint64_t kWithheld = 132;
  Contest contest(100, 9'000, 30, kNone, kWithheld, 3);
  const auto waits = [&] { return contest.cluster.machine(kVictim).head() == Height(129); };
  REQUIRE(contest.run_until([&] { return contest.left() && waits(); }, 60));
  constexpr int kSlow = 20;
  contest.cluster.set_execute_delay(seconds(kSlow));
  for (std::uint64_t height = kWithheld; height < kWithheld + 8; ++height) {
    contest.hand_out(height, height);
    contest.run_for(kSlow);
  }
  INFO(contest.cluster.describe());
  CHECK(contest.back());
}

TEST_CASE("many light blocks are progress on a branch whose last blocks are heavy") {
  constexpr std::uint64_t kLight = 1'500;
  constexpr std::uint64_t kWithheld = 132;
  Contest contest(100, kLight, 30, kNone, kWithheld, 3);
  contest.cluster.run_for(seconds(600));
  Branch heavy = contest.first_of_long(kLight);
  heavy.seconds_between = 0;
  for (int i = 0; i < 800; ++i) contest.giver.headers.push_back(heavy.next().header);
  const auto knows_the_way = [&] {
    return contest.cluster.engine(kVictim).status().highest_evidence > Height(kLight);
  };
  REQUIRE(contest.run_until([&] { return contest.left() && knows_the_way(); }, 60));
  // A block per second: in a minute a fortieth of the blocks, a fifty thousandth of the work.
  for (std::uint64_t height = kWithheld; height < kWithheld + 200; ++height) {
    contest.hand_out(height, height);
    contest.run_for(1);
    REQUIRE(knows_the_way());
  }
  contest.hand_out(1, contest.giver.headers.size());
  const Digest end = contest.giver.headers.back().id;
  CHECK(contest.run_until([&] { return contest.cluster.branch(kVictim).tip_id == end; }, 60));
  CHECK(contest.cluster.machine(kVictim).rewinds.size() == 1);
}

TEST_CASE("a fork beside a long branch borrows nothing of what is proved of that") {
  constexpr std::uint64_t kFar = 250;
  constexpr std::uint32_t kRogue = 2;  // played by hand, too
  Contest contest(300, 3'000, kFar, kNone, kNone, 3);
  contest.cluster.crash(kRogue);
  const auto tip = [&] { return contest.cluster.branch(kVictim).tip; };
  const auto follows = [&] { return contest.left() && tip() > Height(600) && !contest.back(); };
  REQUIRE(contest.run_until(follows, 60));
  // More work than all that the victim sees of the long branch, not than the whole.
  const std::uint64_t parts = tip().value();
  Branch fork = contest.first_of_long(parts);
  const Branch seen = contest.first_of_long(parts + 2 * kFar);
  fork.seconds_between = 0;
  while (fork.context().total_work <= seen.context().total_work) {
    REQUIRE(fork.context().height < Height(parts + kFar));
    REQUIRE(contest.cluster.deliver(kRogue, kVictim, pow::encode(fork.next())));
    contest.cluster.run_for(milliseconds(1));
  }
  CHECK(contest.run_until(
      [&] { return contest.cluster.branch(kVictim).tip_id == contest.long_tip; }, 30));
  INFO(contest.cluster.describe());
  CHECK(contest.cluster.machine(kVictim).rewinds.size() <= 2);
}

TEST_CASE("who shows a long branch and then another one borrows nothing of the first") {
  Contest contest(300, 3'000, 250, kNone, kNone, 3);
  const auto tip = [&] { return contest.cluster.branch(kVictim).tip; };
  REQUIRE(contest.run_until([&] { return contest.left() && tip() > Height(650); }, 60));
  Branch other = contest.first_of_long(600);
  contest.giver.headers.resize(600);
  contest.payloads.clear();
  for (int i = 0; i < 300; ++i) contest.giver.headers.push_back(other.next().header);
  // That it is another one now, and its beginning; then no more.
  bool reads_again = false;
  for (int i = 0; i < 1'500 && !reads_again; ++i) {
    for (const pow::AskHeaders& question : std::exchange(contest.questions, {})) {
      const Bytes page = pow::encode(contest.giver.answer(question));
      REQUIRE(contest.cluster.deliver(kGiver, kVictim, page));
      const std::size_t points = question.locator.size();  // two or three: not from the tree
      reads_again = reads_again || (points == 2 && question.locator.front().height < Height(600));
    }
    contest.cluster.run_for(milliseconds(20));
  }
  REQUIRE(reads_again);
  const auto evidence = [&] { return contest.cluster.engine(kVictim).status().highest_evidence; };
  CHECK(contest.cluster.run_until([&] { return evidence() < Height(1'000); }, seconds(2)));
  CHECK(contest.cluster.run_until([&] { return contest.back(); }, seconds(30)));
}

TEST_CASE("who backs out of a long branch that was followed is not followed anew at once") {
  Contest contest(100, 260, 30, kNone, 132, 3);
  const auto follows = [&] {
    return contest.cluster.engine(kVictim).status().highest_evidence > Height(200);
  };
  REQUIRE(contest.run_until([&] { return contest.left() && follows(); }, 60));
  contest.run_for(20);
  const std::vector<pow::Identified> all = contest.giver.headers;
  contest.giver.headers.resize(129);  // one more than the block that the proof stands on
  REQUIRE(contest.run_until([&] { return !follows(); }, 30));
  contest.giver.headers = all;
  CHECK_FALSE(contest.run_until(follows, 45));
  CHECK(contest.run_until(follows, 60));
}

TEST_CASE("invalid blocks beside a long branch keep nobody from reading that") {
  Contest contest(300, 5'000, 250, kNone, kNone);
  const auto arrived = [&] { return contest.cluster.branch(kVictim).tip_id == contest.long_tip; };
  for (int i = 0; i < 1'500 && !arrived(); ++i) {
    if (i % 5 == 0) {
      const pow::FullBlock bad = Branch(*contest.before_last).next(kBad);
      REQUIRE(contest.cluster.deliver(kGiver, kVictim, pow::encode(bad)));
    }
    contest.answer();
    contest.cluster.run_for(milliseconds(20));
  }
  CHECK(arrived());
  CHECK(contest.cluster.machine(kVictim).rejected.size() > 10);
}

TEST_CASE("what a Rewind took from the ledger comes back from a peer, or is not waited for") {
  const bool has_peer = GENERATE(true, false);
  CAPTURE(has_peer);
  Contest contest(150, 450, 100, kNone, 260, 3);
  constexpr std::uint32_t kPeer = 2;
  if (!has_peer) contest.cluster.crash(kPeer);
  contest.cluster.machine(kVictim).hashes_per_second = 131'072;
  REQUIRE(contest.run_until([&] { return contest.left(); }, 120));
  if (has_peer) {
    CHECK(contest.run_until(
        [&] {
          return contest.cluster.machine(kVictim).rewinds.size() == 2 &&
                 contest.cluster.machine(kVictim).ledger.size() >= 148 &&
                 contest.cluster.machine(kVictim).ledger[147].id ==
                     contest.cluster.machine(kPeer).ledger[147].id;
        },
        300));
    return;
  }
  // Nobody has them: it mines on where it is.
  CHECK(contest.run_until([&] { return contest.cluster.branch(kVictim).tip > Height(310); }, 900));
  INFO(contest.cluster.describe());
}
