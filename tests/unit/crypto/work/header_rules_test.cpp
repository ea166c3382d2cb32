// Which header may stand on which: parent, height, time, bits, miner and work; what a pause does;
// and that the end of a chain is enough to go on from.
#include "crypto/work/header_rules.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "crypto/work/bits.hpp"
#include "tests/unit/crypto/work/chain_fixture.hpp"

namespace quorate::crypto::work {

using namespace test;

namespace {

std::string refusal(const Chain& chain, const Header& header) {
  const auto extended = chain.extend(header);
  REQUIRE_FALSE(extended);
  REQUIRE(extended.error().code == Errc::rejected);
  return extended.error().detail;
}

double hashes(std::uint32_t bits) { return static_cast<double>(expected_hashes(bits)); }

}  // namespace

TEST_CASE("the first block has the initial bits, and a chain on schedule keeps them") {
  const HeaderRules r = rules();
  Chain chain(r);
  REQUIRE(r.next_bits(chain.tip) == Parameters{}.initial_bits);
  for (int i = 0; i < 600; ++i) chain.grow(2);
  REQUIRE(chain.tip.height == Height(600));
  REQUIRE(r.next_bits(chain.tip) == Parameters{}.initial_bits);
  REQUIRE(chain.tip.total_work == scaled(work_of_bits(Parameters{}.initial_bits), 600, 0));
}

TEST_CASE("a half-life behind the schedule halves the difficulty, ahead of it doubles it") {
  const HeaderRules r = rules();
  Chain late(r);
  for (int i = 0; i < 60; ++i) late.grow(4);
  REQUIRE(hashes(r.next_bits(late.tip)) == Approx((1U << 20U) / 2.0).epsilon(1e-4));
  Chain early(r);
  for (int i = 0; i < 120; ++i) early.grow(1);
  REQUIRE(hashes(r.next_bits(early.tip)) == Approx((1U << 20U) * 2.0).epsilon(1e-4));
}

TEST_CASE("an interval need not be whole seconds") {
  Parameters parameters;
  parameters.interval_ms = 1500;
  const HeaderRules r = rules(parameters);
  Chain chain(r);
  for (int i = 0; i < 200; ++i) chain.grow(i % 2 == 0 ? 1 : 2);
  REQUIRE(r.next_bits(chain.tip) == parameters.initial_bits);
}

TEST_CASE("when the anchor moves the schedule goes on without a step") {
  const HeaderRules r = rules();
  Chain chain(r);
  // Ahead of the schedule by a second per three blocks: every block is a little harder.
  double before = 0;
  for (int i = 0; i < 300; ++i) {
    chain.grow(i % 3 == 0 ? 1 : 2);
    const double now = hashes(r.next_bits(chain.tip));
    CAPTURE(i);
    REQUIRE(now >= before * (1 - 1e-4));
    REQUIRE((before == 0 || now <= before * 1.0059));  // 2^(1/120) and the rounding of the bits
    before = now;
  }
  REQUIRE(chain.tip.anchor.height == Height(256));
  REQUIRE(chain.tip.anchor.bits == chain.headers[255].bits);
  REQUIRE(hashes(chain.headers[299].bits) ==
          Approx(std::pow(2.0, 100 / 120.0) * (1U << 20U)).epsilon(0.01));
}

TEST_CASE("a network that was switched off goes on at half its difficulty") {
  const HeaderRules r = rules();
  Chain chain(r);
  chain.grow(86'400 * 30);  // started long after its genesis time
  REQUIRE(r.pause_s() == 120);
  REQUIRE(hashes(r.next_bits(chain.tip)) == Approx((1U << 20U) / 2.0).epsilon(0.02));
  while (hashes(r.next_bits(chain.tip)) < (1U << 20U)) chain.grow(1);
  REQUIRE(chain.tip.height < Height(125));
  for (int i = 0; i < 500; ++i) chain.grow(2);
  const double before = hashes(r.next_bits(chain.tip));
  chain.grow(8 * 3600);
  REQUIRE(hashes(r.next_bits(chain.tip)) == Approx(before / 2).epsilon(0.02));
}

TEST_CASE("a pause right at an anchor does not count either") {
  const HeaderRules r = rules();
  Chain chain(r);
  for (int i = 0; i < 255; ++i) chain.grow(2);
  const double before = hashes(r.next_bits(chain.tip));
  chain.grow(8 * 3600);
  REQUIRE(chain.tip.anchor.height == chain.tip.height);
  REQUIRE(hashes(r.next_bits(chain.tip)) == Approx(before / 2).epsilon(0.02));
}

TEST_CASE("a header names its parent and stands one above it") {
  const HeaderRules r = rules();
  Chain chain(r);
  chain.grow(2);
  Header header = child(r, chain.tip, kGenesisS + 4);
  REQUIRE(chain.extend(header));
  header.parent.bytes[0] ^= 1U;
  REQUIRE(refusal(chain, header) == "the header of height 2 names another parent");
  header = child(r, chain.tip, kGenesisS + 4);
  header.height = Height(3);
  REQUIRE(refusal(chain, header) == "the header of height 3 stands on height 1");
}

TEST_CASE("a time must be above the median of the last eleven") {
  const HeaderRules r = rules();
  Chain chain(r);
  REQUIRE(refusal(chain, child(r, chain.tip, kGenesisS)) ==
          "the header of height 1 has time 1800000000; it must be at least 1800000001");
  for (int i = 0; i < 20; ++i) chain.grow(10);
  // The last eleven are 100, 110, ... 200 seconds after genesis.
  REQUIRE(r.earliest_time(chain.tip) == kGenesisS + 151);
  REQUIRE_FALSE(chain.extend(child(r, chain.tip, kGenesisS + 150)));
  REQUIRE(chain.extend(child(r, chain.tip, kGenesisS + 151)));
}

TEST_CASE("with fewer than eleven blocks the median is of those there are, genesis included") {
  const HeaderRules r = rules();
  Chain chain(r);
  chain.grow(10);
  chain.grow(10);
  chain.grow(10);
  // 0, 10, 20, 30: the upper of the two in the middle.
  REQUIRE(r.earliest_time(chain.tip) == kGenesisS + 21);
}

TEST_CASE("a header whose time lies too far ahead is early, not invalid") {
  const HeaderRules r = rules();
  Chain chain(r);
  const Header header = child(r, chain.tip, kGenesisS + 115);
  REQUIRE(chain.extend(header));
  REQUIRE(r.future_limit_s() == 15);
  REQUIRE_FALSE(r.too_early(header, WallMs((kGenesisS + 100) * 1000)));
  REQUIRE(r.too_early(header, WallMs((kGenesisS + 100) * 1000 - 1)));
  REQUIRE_FALSE(r.too_early(header, WallMs::max()));
  Parameters slow;
  slow.interval_ms = 600'000;
  slow.half_life_s = 172'800;
  REQUIRE(rules(slow).future_limit_s() == 1200);
}

TEST_CASE("bits must be exactly those that the rules give") {
  const HeaderRules r = rules();
  Chain chain(r);
  chain.grow(2);
  Header header = child(r, chain.tip, kGenesisS + 4);
  for (const std::uint32_t bits : {header.bits - 1, header.bits + 1, 0x1f00ffffU, 0x1d00ffffU}) {
    header.bits = bits;
    REQUIRE(refusal(chain, header) ==
            "the header of height 2 has bits " + bits_text(bits) + "; the rules give 0x1e0fffff");
  }
}

TEST_CASE(
    "a header alone must be of this chain, by a validator, within the limit, and worked for") {
  const HeaderRules r = rules();
  Chain chain(r);
  const Header good = child(r, chain.tip, kGenesisS + 2);
  const NoWork no_work;
  REQUIRE(r.check_alone(good, id_of(good), no_work));
  const auto refused = [&](Header header, const WorkFunction& work) {
    const auto checked = r.check_alone(header, id_of(header), work);
    REQUIRE_FALSE(checked);
    REQUIRE(checked.error().code == Errc::rejected);
    return checked.error().detail;
  };
  Header header = good;
  header.chain_id.bytes[5] ^= 1U;
  REQUIRE(refused(header, no_work) == "the header of height 1 belongs to another chain");
  header = good;
  header.miner = miner(5);
  REQUIRE(refused(header, no_work) ==
          "the header of height 1 names a miner that is no validator of this chain");
  header = good;
  header.bits = 0x1f010000;
  REQUIRE(refused(header, no_work) ==
          "the header of height 1 has bits 0x1f010000, easier than the limit of 0x1f00ffff");
  REQUIRE(refused(good, double_sha256()) ==
          "the header of height 1 does not prove the work of its bits 0x1e0fffff");
  REQUIRE(r.check(chain.tip, good, no_work).value() == chain.extend(good).value());
  REQUIRE_FALSE(r.check(chain.tip, good, double_sha256()));
}

namespace {

// Blocks every two seconds; every `nth` miner states the worst times there are: as late as the
// clocks allow if `late`, otherwise as early as the median allows.
template <class Late>
Chain warped(const HeaderRules& r, std::uint64_t nth, const Late& late) {
  Chain chain(r);
  for (std::uint64_t i = 1; i <= 400; ++i) {
    const std::uint64_t clock = kGenesisS + 2 * i;
    const std::uint64_t earliest = r.earliest_time(chain.tip);
    std::uint64_t time = std::max(clock, earliest);
    if (i % nth == 0) time = late(i) ? clock + r.future_limit_s() : earliest;
    chain.grow(time - chain.tip.time_s);
  }
  return chain;
}

}  // namespace

TEST_CASE("a minority that states false times moves the difficulty by its seconds and no more") {
  const HeaderRules r = rules();
  const double on_schedule = hashes(Parameters{}.initial_bits);
  for (const std::uint64_t late_every : {1U, 2U, 7U, 1000U}) {
    const Chain chain = warped(r, 3, [&](std::uint64_t i) { return i % late_every == 0; });
    REQUIRE(chain.tip.paused_s == 0);
    for (const Header& header : chain.headers) {
      REQUIRE(std::abs(std::log2(hashes(header.bits) / on_schedule)) < 20 / 120.0);
    }
  }
}

TEST_CASE("even who mines every block cannot make the chain cheaper by false times") {
  const HeaderRules r = rules();
  const Chain honest = warped(r, 1000, [](std::uint64_t) { return false; });
  for (const std::uint64_t late_every : {1U, 2U, 11U, 12U, 50U, 400U}) {
    CAPTURE(late_every);
    const Chain chain = warped(r, 1, [&](std::uint64_t i) { return i % late_every == 0; });
    REQUIRE(scaled(chain.tip.total_work, 10, 0) > scaled(honest.tip.total_work, 9, 0));
    // At most what one future limit is worth: 2^(15/120).
    REQUIRE(hashes(r.next_bits(chain.tip)) > hashes(Parameters{}.initial_bits) / 1.1);
  }
}

namespace {

// Blocks every two seconds with a pause after the fortieth. Of those that follow, every one for
// which `lies(number)` holds states the earliest time that the median allows.
template <class Lies>
Chain resumed_after(const HeaderRules& r, std::uint64_t pause_s, const Lies& lies) {
  Chain chain(r);
  for (std::uint64_t i = 1; i <= 600; ++i) {
    const std::uint64_t clock = kGenesisS + 2 * i + (i > 40 ? pause_s : 0);
    const std::uint64_t earliest = r.earliest_time(chain.tip);
    const std::uint64_t time = i > 40 && lies(i - 40) ? earliest : std::max(clock, earliest);
    chain.grow(time - chain.tip.time_s);
  }
  return chain;
}

}  // namespace

TEST_CASE("after a pause, times from before it move nothing") {
  const HeaderRules r = rules();
  for (const std::uint64_t pause_s : {100U, 130U, 600U, 3600U, 8U * 3600U}) {
    const Chain honest = resumed_after(r, pause_s, [](std::uint64_t) { return false; });
    // The block after the first one, or every third; the very first, and then every fourth.
    for (const auto& lies :
         {+[](std::uint64_t i) { return i == 2; }, +[](std::uint64_t i) { return i % 3 == 2; },
          +[](std::uint64_t i) { return i % 4 == 1; }}) {
      const Chain chain = resumed_after(r, pause_s, lies);
      for (std::size_t i = 0; i < honest.headers.size(); ++i) {
        CAPTURE(pause_s, i);
        // While nobody has told that the pause is over, the chain is as it was before.
        if (i == 41) continue;
        // Else as if each lie were stated by the next honest block, two seconds later; the end of
        // the pause may have been one of them.
        const double ratio = hashes(chain.headers[i].bits) / hashes(honest.headers[i].bits);
        REQUIRE(std::abs(std::log2(ratio)) < 4.1 / 120);
      }
      REQUIRE(chain.tip.paused_s - honest.tip.paused_s <= 2);
    }
  }
}

TEST_CASE("a chain's clock starts anew at an anchor, and the schedule goes on") {
  const HeaderRules r = rules();
  Chain chain(r);
  for (int i = 0; i < 240; ++i) chain.grow(2);
  // Times from far ahead, of somebody whose own clock is wrong: they count, but once.
  chain.grow(600);
  const std::uint64_t ahead = chain.tip.clock_s;
  while (chain.tip.height < Height(256)) chain.grow(r.earliest_time(chain.tip) - chain.tip.time_s);
  REQUIRE(chain.tip.clock_s < ahead);
  const double before = hashes(chain.tip.bits);
  REQUIRE(hashes(r.next_bits(chain.tip)) == Approx(before).epsilon(0.02));
}

TEST_CASE("the end of a chain is enough to go on from exactly") {
  const HeaderRules r = rules();
  Chain chain(r);
  std::vector<Context> contexts;
  for (std::uint64_t i = 0; i < 1200; ++i) {
    // Pauses, and times that go back as far as the median allows.
    const std::uint64_t back = r.earliest_time(chain.tip) - chain.tip.time_s;
    contexts.push_back(chain.grow(i % 7 == 3 ? back : i % 97 == 50 ? 300 : 1 + i % 4));
  }
  const std::span<const Header> headers(chain.headers);
  for (const std::size_t first : {1U, 200U, 245U, 246U, 255U, 256U, 600U, 900U, 933U}) {
    CAPTURE(first);
    const auto resumed = r.resume(headers.subspan(first));
    REQUIRE(resumed);
    REQUIRE(resumed->next <= kHeadersToResume);
    Context context = resumed->context;
    REQUIRE(context.height.value() == first + resumed->next);
    for (std::size_t i = first + resumed->next; i < headers.size(); ++i) {
      context = r.extend(context, headers[i], id_of(headers[i])).value();
    }
    // All but the work, which counts from where it was resumed.
    Context expected = chain.tip;
    REQUIRE(context.total_work < expected.total_work);
    expected.total_work = context.total_work;
    REQUIRE(context == expected);
  }
}

TEST_CASE("what cannot be resumed from says why") {
  const HeaderRules r = rules();
  Chain chain(r);
  for (int i = 0; i < 600; ++i) chain.grow(2);
  std::vector<Header> headers = chain.headers;
  REQUIRE(r.resume({})->context == r.genesis());
  REQUIRE(r.resume(headers)->context == r.genesis());
  REQUIRE(r.resume(headers)->next == 0);
  const std::span<const Header> all(headers);
  for (std::size_t first = 1; first + kHeadersToResume <= 600; ++first) {
    REQUIRE(r.resume(all.subspan(first, kHeadersToResume)));
  }
  const auto few = r.resume(all.subspan(256, 200));
  REQUIRE(few.error().code == Errc::not_found);
  REQUIRE(few.error().detail ==
          "200 headers are too few to continue a chain from; 267 are always enough");
  ++headers[300].nonce;
  REQUIRE(r.resume(all.subspan(257)).error().detail ==
          "the header of height 302 does not follow the one before it");
}

}  // namespace quorate::crypto::work
