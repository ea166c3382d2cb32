#include <catch2/catch.hpp>

#include "testnet/perturb/rules.hpp"
#include "testnet/perturb/shaper.hpp"

namespace quorate::testnet {

namespace {

using std::chrono::milliseconds;
using Groups = std::vector<std::vector<NodeIndex>>;

// Chance that gives what it is told, then never again loses anything.
Shaper::Chance chance(std::vector<double> values) {
  return [values = std::move(values), next = std::size_t{0}]() mutable {
    return next < values.size() ? values[next++] : 0.999;
  };
}

}  // namespace

TEST_CASE("a partition cuts between groups and joins within them") {
  LinkRules rules(4);
  REQUIRE(partition(rules, {{0, 1}, {2, 3}}));
  CHECK(rules.all().size() == 8);
  CHECK(connected_groups(rules) == Groups{{0, 1}, {2, 3}});
  CHECK(rules.at(0, 2).cut);
  CHECK_FALSE(rules.at(0, 1).cut);

  REQUIRE(partition(rules, {{3}}));
  CHECK(connected_groups(rules) == Groups{{0, 1, 2}, {3}});
}

TEST_CASE("a partition keeps delays, and a rule that does nothing is none") {
  LinkRules rules(4);
  rules.set(0, 2, LinkRule{.delay_ms = 50});
  REQUIRE(partition(rules, {{0, 1}, {2, 3}}));
  CHECK(rules.at(0, 2) == LinkRule{.cut = true, .delay_ms = 50});
  REQUIRE(partition(rules, {{0, 1, 2}, {3}}));
  CHECK(rules.at(0, 2) == LinkRule{.delay_ms = 50});
  rules.set(0, 2, LinkRule{});
  CHECK(rules.at(0, 2) == LinkRule{});
  rules.clear();
  CHECK(rules.empty());
  CHECK(connected_groups(rules) == Groups{{0, 1, 2, 3}});
}

TEST_CASE("what is no partition is refused") {
  LinkRules rules(4);
  const auto twice = partition(rules, {{0, 1}, {1, 2, 3}});
  REQUIRE_FALSE(twice);
  CHECK(twice.error().detail.find("node1 is in two groups") != std::string::npos);
  CHECK_FALSE(partition(rules, {{0, 1, 2, 3}}));
  CHECK_FALSE(partition(rules, {}));
  CHECK(rules.empty());
}

TEST_CASE("a link that is cut one way separates its nodes") {
  LinkRules rules(4);
  rules.set(1, 0, LinkRule{.cut = true});
  CHECK(rules.separated(0, 1));
  CHECK(rules.separated(1, 0));
  // They still reach each other through the others, as votes that are relayed do.
  CHECK(connected_groups(rules).size() == 1);
}

TEST_CASE("a link that loses everything separates its nodes, one that loses nearly all does not") {
  LinkRules rules(2);
  rules.set(1, 0, LinkRule{.loss_percent = 99.9});
  CHECK_FALSE(rules.separated(0, 1));
  rules.set(1, 0, LinkRule{.loss_percent = 100});
  CHECK(rules.separated(0, 1));
  CHECK(connected_groups(rules) == Groups{{0}, {1}});
}

TEST_CASE("rules survive their JSON form, and what is not one is refused") {
  LinkRules rules(4);
  rules.set(0, 1, LinkRule{true, 200, 20, 2.5, 1'000'000});
  rules.set(3, 2, LinkRule{.loss_percent = 0.1});
  const auto back = rules_from(to_json(rules));
  REQUIRE(back);
  CHECK(*back == rules);
  auto wrong = to_json(rules);
  wrong["rules"][0]["to"] = 4;
  CHECK_FALSE(rules_from(wrong));
  wrong = to_json(rules);
  wrong["rules"][0]["cut"] = "yes";
  CHECK_FALSE(rules_from(wrong));
}

TEST_CASE("a rule is described in words") {
  CHECK(describe({}) == "as it is");
  CHECK(describe({.cut = true}) == "cut");
  CHECK(describe({false, 200, 20, 5, 100'000}) ==
        "+200 ms to +220 ms, 5 % loss, at most 100000 B/s");
}

TEST_CASE("without a rule a chunk leaves at once") {
  Shaper shaper;
  const Shaper::Clock::time_point now{milliseconds(1000)};
  CHECK(shaper.release({}, 16'384, now, chance({})) == now);
}

TEST_CASE("delay and jitter are added, and no chunk overtakes another") {
  Shaper shaper;
  const Shaper::Clock::time_point now{milliseconds(1000)};
  const LinkRule rule{.delay_ms = 100, .jitter_ms = 50};
  CHECK(shaper.release(rule, 1, now, chance({0.5})) == now + milliseconds(125));
  CHECK(shaper.release(rule, 1, now + milliseconds(1), chance({0.0})) == now + milliseconds(125));
  // Not even when the delay is taken away meanwhile.
  CHECK(shaper.release({}, 1, now + milliseconds(2), chance({})) == now + milliseconds(125));
}

TEST_CASE("a limited rate spreads chunks out, and idle time is not saved up") {
  Shaper shaper;
  const Shaper::Clock::time_point now{milliseconds(1000)};
  const LinkRule rule{.bytes_per_second = 10'000};
  CHECK(shaper.release(rule, 1'000, now, chance({})) == now + milliseconds(100));
  CHECK(shaper.release(rule, 1'000, now, chance({})) == now + milliseconds(200));
  const auto later = now + milliseconds(5000);
  CHECK(shaper.release(rule, 1'000, later, chance({})) == later + milliseconds(100));
}

TEST_CASE("a lost chunk stalls the stream as TCP's timer does, and six losses reset it") {
  const Shaper::Clock::time_point now{milliseconds(1000)};
  const LinkRule rule{.loss_percent = 10};
  Shaper shaper;
  CHECK(shaper.release(rule, 1, now, chance({0.05})) == now + milliseconds(200));
  CHECK(shaper.release(rule, 1, now, chance({0.5})) == now + milliseconds(200));
  Shaper twice;
  CHECK(twice.release(rule, 1, now, chance({0.05, 0.05})) == now + milliseconds(600));
  Shaper dead;
  CHECK_FALSE(dead.release(rule, 1, now, chance({0, 0, 0, 0, 0, 0})).has_value());
}

}  // namespace quorate::testnet
