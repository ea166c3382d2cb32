#include <catch2/catch.hpp>

#include "testnet/simulate/report.hpp"
#include "testnet/simulate/svg.hpp"
#include "testnet/simulate/work_options.hpp"
#include "tests/sim/timed/measure.hpp"

using namespace quorate;
using namespace quorate::testnet;

namespace simulate_work_test {
namespace {

struct Outcome {
  nlohmann::json json;
  std::string text;
  std::string svg;
};

Outcome simulate(const SimulateOptions& options) {
  const auto scene = make_scene(options);
  REQUIRE(scene.has_value());
  Recorder record(scene->replicas, svg_window(options).value(), told_stop(*scene));
  const auto end = sim::timed::run(*scene, record);
  const SimulationReport report{options, *scene, record, end};
  return {to_json(report), to_text(report), draw_timeline(report)};
}

SimulateOptions options_for(std::vector<std::string> faults) {
  SimulateOptions out;
  out.engine = "pow";
  out.rate = 5;
  out.seconds = "60s";
  out.depth = 3;
  out.faults = std::move(faults);
  return out;
}

std::string error_of(const SimulateOptions& options) {
  const auto scene = make_scene(options);
  return scene ? "" : scene.error().detail;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE(
    "simulate --engine pow: everything offered is final, three blocks deep, and nothing is "
    "reversed") {
  const Outcome outcome = simulate(options_for({}));
  const auto& work = outcome.json["work"];
  CHECK(outcome.json["committed"] == 300);
  CHECK(outcome.json["unfinished"] == 0);
  CHECK(outcome.json["agreement"] == true);
  CHECK(work["reversed"] == 0);
  CHECK(work["rewinds"] == 0);
  CHECK(work["mined"].get<int>() > 20);
  // Three blocks of two seconds each, from one to the next on average.
  CHECK(outcome.json["latency_ms"]["p50"].get<double>() > 2000);
  CHECK(outcome.json["latency_ms"]["p50"].get<double>() < 15000);
  CHECK(work["depth_latency_ms"]["1"]["p50"].get<double>() <
        work["depth_latency_ms"]["3"]["p50"].get<double>());
  CHECK(contains(outcome.text, "proof of work, a block each 2s, final at depth 3"));
}

TEST_CASE(
    "simulate --engine pow: the same options give the same report and picture to the last byte") {
  const SimulateOptions options = options_for({"partition:0,1@10s-40s"});
  const Outcome first = simulate(options);
  const Outcome second = simulate(options);
  CHECK(first.json == second.json);
  CHECK(first.text == second.text);
  CHECK(first.svg == second.svg);
  SimulateOptions other = options;
  other.seed = 2;
  CHECK(simulate(other).json != first.json);
}

TEST_CASE(
    "simulate --engine pow: two halves both go on, and after healing one of them takes back what "
    "was final") {
  SimulateOptions options = options_for({"partition:0,1@10s-50s"});
  options.hash_shares = {40, 30, 15, 15};
  const Outcome outcome = simulate(options);
  const auto& work = outcome.json["work"];
  CHECK(work["rewinds"] == 2);
  CHECK(work["reversed"].get<int>() > 0);
  CHECK(work["lost_for_good"] == 0);
  CHECK(outcome.json["unfinished"] == 0);
  CHECK(outcome.json["agreement"] == true);
  CHECK(contains(outcome.text, "node2, node3 go back to height"));
  CHECK(contains(outcome.svg, "takes final blocks back"));
  CHECK(contains(outcome.svg, "class=\"rewind\""));
}

TEST_CASE("simulate --engine pow: a miner that hides its blocks makes others leave theirs") {
  SimulateOptions options = options_for({"private:largest@10s-40s"});
  options.hash_shares = {60, 20, 10, 10};
  const Outcome outcome = simulate(options);
  CHECK(outcome.json["work"]["stale"].get<int>() > 3);
  CHECK(outcome.json["work"]["rewinds"].get<int>() >= 3);
  CHECK(outcome.json["work"]["mined_by_node"][0] > outcome.json["work"]["mined_by_node"][1]);
  CHECK(contains(outcome.text, "begins to mine in private"));
}

TEST_CASE("simulate --engine pow: a miner that crashes catches up") {
  const Outcome outcome = simulate(options_for({"crash:0@10s-30s"}));
  CHECK(outcome.json["unfinished"] == 0);
  CHECK(outcome.json["replicas"][0]["up"] == true);
  CHECK(outcome.json["agreement"] == true);
}

TEST_CASE("simulate: options that do not go together are refused with what to do") {
  SimulateOptions options = options_for({});
  options.engine = "paxos";
  CHECK(error_of(options) == "--engine paxos: there are pbft and pow");
  options = options_for({});
  options.engine = "pbft";
  CHECK(contains(error_of(options), "are of --engine pow"));
  options = options_for({"slow:0@1s"});
  CHECK(contains(error_of(options), "there are crash, partition and private"));
  options = options_for({"crash:primary@2s"});
  CHECK(contains(error_of(options), "nobody is primary where blocks are mined"));
  CHECK(error_of(options_for({"crash:largest@2s"})).empty());
  options = options_for({});
  options.hash_shares = {1, 2};
  CHECK(contains(error_of(options), "one number for each of 4 nodes"));
  options.hash_shares = {0, 0, 0, 0};
  CHECK(contains(error_of(options), "somebody must mine"));
  options = options_for({});
  options.depth = 0;
  CHECK(contains(error_of(options), "depth"));
  SimulateOptions sealed;
  sealed.faults = {"private:0@1s-2s"};
  CHECK(contains(error_of(sealed), "add --engine pow"));
}

TEST_CASE("measure gives the same figures for both engines") {
  sim::timed::Scene scene;
  scene.rate = 50;
  scene.length = std::chrono::seconds(4);
  scene.links.delay.assign(4, std::vector<Duration>(4, std::chrono::milliseconds(1)));
  scene.faults = {{sim::timed::FaultKind::partition,
                   {ReplicaId(0), ReplicaId(1)},
                   std::chrono::seconds(1),
                   std::chrono::seconds(2),
                   Duration(0)}};
  const auto sealed = sim::timed::measure(scene);
  CHECK(sealed.to_final.count > 100);
  CHECK(sealed.reversed == 0);
  // Neither half has a quorum: what was under way comes through, nothing more.
  CHECK(sealed.executed_during[0][0] < 5);
  CHECK(sealed.messages_per_block > 10);
  REQUIRE(sealed.resumed_after[0].has_value());

  scene.rate = 5;
  scene.length = std::chrono::seconds(100);
  scene.drain = std::chrono::seconds(100);
  scene.work = sim::timed::WorkScene{};
  scene.work->chain.depth = 2;
  scene.work->depths = {1, 2, 4};
  scene.faults[0].at = std::chrono::seconds(20);
  scene.faults[0].until = std::chrono::seconds(80);
  const auto mined = sim::timed::measure(scene);
  CHECK(mined.to_final.count > 300);
  CHECK(mined.to_depth.at(1).p50_ms < mined.to_depth.at(4).p50_ms);
  // Both halves go on.
  CHECK(mined.executed_during[0][0] > 3);
  CHECK(mined.executed_during[0][2] > 3);
  CHECK(mined.rewinds >= 2);
  CHECK(mined.stale > 0);
  CHECK(mined.switches.size() > 0);
}

}  // namespace simulate_work_test
