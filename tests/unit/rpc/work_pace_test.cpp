// What a client that asks a single node can still tell: how much work a second went into the newest
// headers. Whole histories of two-second blocks under the real rules of headers, with miners who
// win by lot, honest ones and one who mines in secret.
#include "rpc/client/work_pace.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "crypto/hash.hpp"
#include "crypto/work/bits.hpp"
#include "tests/sim/prng.hpp"
#include "tests/unit/ledger/fixture.hpp"
#include "tests/unit/rpc/fake_branch.hpp"

using namespace quorate;
using namespace quorate::rpc;

namespace work = crypto::work;

namespace work_pace_test {
namespace {

constexpr double kHashesPerSecond = 500'000;  // of all honest miners: two seconds for 2^20
constexpr std::uint64_t kTick = 11;           // the depth at which a payment has its tick

struct ByLot final : work::WorkFunction {
  bool meets(const work::Header&, const Digest&) const override { return true; }
};

ledger::Genesis pace_genesis() {
  ledger::Genesis out = ledger::test::small_genesis();
  quorate::rpc::test::prove_by_work(out);
  out.consensus.engine_parameters = work::to_named(work::Parameters{});
  return out;
}

// A chain as its miners make it, and a client that is shown it now and then, on one clock.
class History {
 public:
  // Mines one block with this hash rate. Its stated time is that of the clock, or `states`.
  void mine(double hashes_per_second, std::optional<double> states = {}) {
    const work::Context& parent = context_;
    work::Header header;
    header.chain_id = rules_.chain_id();
    header.parent = parent.id;
    header.height = parent.height.next();
    header.bits = rules_.next_bits(parent);
    header.miner = genesis_.validators.at(0).validator_key;
    const auto hashes = static_cast<double>(work::expected_hashes(header.bits));
    clock_s_ += prng_.exponential() * hashes / hashes_per_second;
    header.time_s = std::max(rules_.earliest_time(parent),
                             static_cast<std::uint64_t>(states.value_or(clock_s_)));
    context_ = rules_.check(parent, header, lots_).value();
    headers_.push_back(work::encode(header));
  }
  void run(double hashes_per_second, double seconds) {
    for (const double end = clock_s_ + seconds; clock_s_ < end;) mine(hashes_per_second);
  }
  void wait(double seconds) { clock_s_ += seconds; }
  double clock_s() const { return clock_s_; }
  double newest_stated_s() const { return static_cast<double>(context_.clock_s); }

  // What the client makes of all that was mined.
  WorkPace pace() {
    const WallMs now(static_cast<std::uint64_t>(clock_s_ * 1000));
    const auto source = [this](Height from, std::uint32_t limit) -> Result<std::vector<Bytes>> {
      const std::size_t first = std::min<std::size_t>(from.value() - 1, headers_.size());
      const std::size_t end = std::min<std::size_t>(first + limit, headers_.size());
      const auto at = [this](std::size_t i) {
        return headers_.begin() + static_cast<std::ptrdiff_t>(i);
      };
      return std::vector<Bytes>(at(first), at(end));
    };
    const auto followed = client_.follow(source, now);
    REQUIRE(followed.has_value());
    return measure_pace(client_, now).value();
  }
  Height seen() const { return client_.tip(); }

 private:
  const ledger::Genesis genesis_ = pace_genesis();
  const ByLot lots_{};
  const work::HeaderRules rules_{work::Parameters{}, ledger::chain_id(genesis_),
                                 genesis_.genesis_time, ledger::membership(genesis_).validators};
  work::Context context_ = rules_.genesis();
  WorkChain client_ = WorkChain::open(genesis_, std::nullopt, lots_).value();
  sim::Prng prng_{7};
  double clock_s_ = static_cast<double>(context_.time_s) + 1;
  std::vector<Bytes> headers_;
};

// Somebody with this share of the hash rate mines in secret on an honest chain of half an hour, and
// shows the whole branch to a client that asks nobody else. Its first block states a time `jump`
// seconds ahead and each other one at least an interval more, so that by the time these times are
// true its blocks look dense. The honest headers are `age` seconds old by
// then. Gives the seconds until the client sees nothing wrong with a depth of
// kTick.
double seconds_until_believed(double share, double jump, double give_up, double age = 0) {
  History history;
  history.run(kHashesPerSecond, 1800);
  REQUIRE_FALSE(history.pace().slow);
  history.wait(age);
  const double begin = history.clock_s();
  for (std::uint64_t blocks = 1; history.clock_s() - begin < give_up; ++blocks) {
    const double dense = begin + jump + 2 * static_cast<double>(blocks);
    history.mine(kHashesPerSecond * share, std::max(history.clock_s(), dense));
    // A header from the client's future would have to wait.
    if (blocks < kTick || blocks % 4 != 0 || history.newest_stated_s() > history.clock_s() + 15)
      continue;
    if (!history.pace().slow) return history.clock_s() - begin;
  }
  return give_up;
}

}  // namespace

TEST_CASE("an honest network is never slow, and has not to be long there to be judged") {
  History history;
  CHECK_FALSE(history.pace().slow);
  for (int i = 0; i < 200; ++i) {
    history.run(kHashesPerSecond, i < 20 ? 2 : 40);
    const WorkPace pace = history.pace();
    INFO(describe(pace));
    CHECK_FALSE(pace.slow);
  }
  const WorkPace pace = history.pace();
  CHECK(pace.best > 0.9 * kHashesPerSecond);
  CHECK(pace.best < 1.6 * kHashesPerSecond);
}

TEST_CASE(
    "half of the hash rate may leave: nothing looks slow, neither before the retarget nor after") {
  History history;
  history.run(kHashesPerSecond, 3600);
  for (int i = 0; i < 300; ++i) {
    history.run(kHashesPerSecond / 2, 10);
    const WorkPace pace = history.pace();
    INFO(describe(pace));
    CHECK_FALSE(pace.slow);
  }
}

TEST_CASE("nine tenths of the hash rate leave: a warning, until there is a day without them") {
  History history;
  history.run(kHashesPerSecond, 3600);
  history.run(kHashesPerSecond / 10, 600);
  const WorkPace pace = history.pace();
  CHECK(pace.slow);
  CHECK(pace.newest < 0.15 * pace.best);
  CHECK(describe(pace).find(
            " of the work per second that a day of this chain's headers had at best") !=
        std::string::npos);
  history.run(kHashesPerSecond / 10, 3600);
  CHECK(history.pace().slow);  // the retarget has long settled
  history.run(kHashesPerSecond / 10, 88'000);
  CHECK_FALSE(history.pace().slow);
}

TEST_CASE("after a pause of a night it takes a few minutes until a depth counts again") {
  History history;
  history.run(kHashesPerSecond, 1800);
  history.wait(8 * 3600);
  CHECK(history.pace().slow);
  history.run(kHashesPerSecond, 20);
  CHECK(history.pace().slow);
  history.run(kHashesPerSecond, 220);
  const WorkPace pace = history.pace();
  INFO(describe(pace));
  CHECK_FALSE(pace.slow);
}

TEST_CASE(
    "a branch that a small part of the hash rate made in secret is slow for as long as promised") {
  const double share = GENERATE(0.01, 0.03, 0.05, 0.10);
  const double promised =
      static_cast<double>(work::Parameters{}.half_life_s) * kPaceOfBest * kPaceHalfLives / share;
  double soonest = 2 * promised;
  for (const double jump : {0.0, 0.5, 0.9, 1.0, 1.1, 1.25}) {
    const double took = seconds_until_believed(share, jump * promised, 2 * promised);
    INFO("share " << share << ", the first time " << jump * promised << " s ahead: " << took
                  << " s of " << promised);
    CHECK(took > 0.8 * promised);
    soonest = std::min(soonest, took);
  }
  // The promise is no larger than the attack: nobody is told that it cannot be done.
  CHECK(soonest < 2 * promised);
}

TEST_CASE("a branch off a header of last week is no cheaper") {
  const double share = 0.10;
  const double promised = 1'200;
  for (const double jump : {0.0, 0.9, 1.1}) {
    const double took = seconds_until_believed(share, jump * promised, 2 * promised, 7 * 86'400);
    INFO("the first time " << jump * promised << " s ahead: " << took << " s of " << promised);
    CHECK(took > 0.8 * promised);
  }
}

}  // namespace work_pace_test
