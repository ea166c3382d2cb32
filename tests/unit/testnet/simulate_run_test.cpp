#include <catch2/catch.hpp>

#include "testnet/simulate/report.hpp"
#include "testnet/simulate/svg.hpp"

using namespace quorate;
using namespace quorate::testnet;

namespace {

struct Outcome {
  nlohmann::json json;
  std::string text;
  std::string svg;
};

Outcome simulate(const SimulateOptions& options) {
  const auto scene = make_scene(options);
  REQUIRE(scene.has_value());
  Recorder record(scene->replicas, svg_window(options).value());
  const auto end = sim::timed::run(*scene, record);
  const SimulationReport report{options, *scene, record, end};
  return {to_json(report), to_text(report), draw_timeline(report)};
}

SimulateOptions options_for(std::vector<std::string> faults) {
  SimulateOptions out;
  out.rate = 200;
  out.seconds = "3s";
  out.checkpoint_interval = 16;
  out.faults = std::move(faults);
  return out;
}

bool tells(const Outcome& outcome, const std::string& what) {
  return outcome.text.find(what) != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t out = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++out;
  }
  return out;
}

}  // namespace

TEST_CASE("without faults everything offered becomes final in view 0") {
  const Outcome outcome = simulate(options_for({}));
  CHECK(outcome.json["committed"] == 600);
  CHECK(outcome.json["unfinished"] == 0);
  CHECK(outcome.json["highest_view"] == 0);
  CHECK(outcome.json["agreement"] == true);
  CHECK(outcome.json["messages_lost"] == 0);
  CHECK(outcome.json["latency_ms"]["p50"].get<double>() > 1);
  CHECK(outcome.json["latency_ms"]["p50"].get<double>() < 50);
}

TEST_CASE("the same options give the same report and picture to the last byte") {
  SimulateOptions options = options_for({"crash:primary@1s-2s"});
  options.loss = "1";
  const Outcome first = simulate(options);
  const Outcome second = simulate(options);
  CHECK(first.text == second.text);
  CHECK(first.json.dump() == second.json.dump());
  CHECK(first.svg == second.svg);
  options.seed = 2;
  CHECK(simulate(options).text != first.text);
}

TEST_CASE("a crashed primary is replaced, nothing is lost, and it catches up when it is back") {
  const Outcome outcome = simulate(options_for({"crash:primary@1s-2s"}));
  CHECK(tells(outcome, "node0 crashes"));
  CHECK(tells(outcome, "VIEW-CHANGE to view 1 by node1, node2, node3"));
  CHECK(tells(outcome, "node1 opens view 1"));
  CHECK(tells(outcome, "blocks again"));
  CHECK(outcome.json["committed"] == 600);
  CHECK(outcome.json["replicas"][0]["height"] == outcome.json["blocks"]);
  CHECK(outcome.json["longest_stop_s"].get<double>() > 0.4);
  CHECK(outcome.json["longest_stop_s"].get<double>() < 2);
}

TEST_CASE("two halves stand still while they are apart and go on together") {
  const Outcome outcome = simulate(options_for({"partition:0,1@1s-2.5s"}));
  CHECK(outcome.json["longest_stop_s"].get<double>() > 1.5);
  CHECK(outcome.json["highest_view"] <= 2);
  CHECK(outcome.json["committed"] == 600);
  CHECK(outcome.json["agreement"] == true);
}

TEST_CASE("an equivocating primary is found out and replaced at once") {
  const Outcome outcome = simulate(options_for({"equivocate:0@1s"}));
  CHECK(tells(outcome, "can prove that node0 equivocates"));
  CHECK(outcome.json["highest_view"] == 1);
  CHECK(outcome.json["longest_stop_s"].get<double>() < 0.3);
  CHECK(outcome.json["agreement"] == true);
  CHECK(outcome.json["committed"] == 600);
}

TEST_CASE("a slow primary slows everybody down") {
  const Outcome usual = simulate(options_for({}));
  const Outcome slow = simulate(options_for({"slow:0=300ms@1s-2s"}));
  CHECK(slow.json["latency_ms"]["p95"].get<double>() >
        10 * usual.json["latency_ms"]["p95"].get<double>());
  CHECK(slow.json["committed"] == 600);
}

TEST_CASE("more failures than the network tolerates stop it, and the report says for how long") {
  SimulateOptions options = options_for({"crash:0,1@1s"});
  options.drain = "1s";
  const Outcome outcome = simulate(options);
  CHECK(outcome.json["unfinished"].get<int>() > 300);
  CHECK(outcome.json["longest_stop_s"].get<double>() > 2.9);
  CHECK(outcome.json["agreement"] == true);
}

TEST_CASE("distance is what a wide network pays for") {
  SimulateOptions options = options_for({});
  options.network = "wan";
  const Outcome wide = simulate(options);
  // Three message delays of tens of milliseconds, and the way of the seals.
  CHECK(wide.json["latency_ms"]["p50"].get<double>() > 150);
  CHECK(wide.json["committed"] == 600);
}

TEST_CASE("fewer cores and dearer signatures mean fewer transactions") {
  SimulateOptions options = options_for({});
  options.rate = 20'000;
  options.seconds = "500ms";
  options.drain = "0s";
  options.one_machine = true;
  const auto throughput = [&options](std::int64_t verify) {
    auto scene = make_scene(options).value();
    scene.costs.verify = verify;
    Recorder record(scene.replicas, std::nullopt);
    const auto end = sim::timed::run(scene, record);
    return SimulationReport{options, scene, record, end}.committed_per_second();
  };
  const double usual = throughput(50'000);
  CHECK(usual > 1'000);
  CHECK(throughput(200'000) < 0.6 * usual);
  options.cores = 8;
  CHECK(throughput(50'000) > 1.5 * usual);
}

TEST_CASE("thirty-one replicas survive ten primaries that fail in a row") {
  SimulateOptions options;
  options.nodes = 31;
  options.rate = 10;
  options.seconds = "26s";
  options.checkpoint_interval = 8;
  options.faults = {"crash:primary*10@1s/2.5s"};
  const Outcome outcome = simulate(options);
  INFO(outcome.text);
  std::size_t down = 0;
  for (const auto& node : outcome.json["replicas"]) {
    if (!node["up"].get<bool>()) {
      ++down;
      continue;
    }
    CHECK(node["height"] == outcome.json["blocks"]);
  }
  CHECK(down == 10);
  CHECK(outcome.json["highest_view"] >= 10);
  CHECK(outcome.json["committed"] == 260);
  CHECK(outcome.json["agreement"] == true);
}

TEST_CASE("the timeline shows lanes, a crash, the view change and its messages") {
  const Outcome outcome = simulate(options_for({"crash:primary@1s"}));
  const std::string& svg = outcome.svg;
  CHECK(svg.rfind("<svg xmlns=", 0) == 0);
  CHECK(svg.find("href=\"http") == std::string::npos);  // needs nothing else
  CHECK(svg.find("prefers-color-scheme:dark") != std::string::npos);
  for (const char* part :
       {">node3<", "class=\"crash\"", "class=\"down\"", "class=\"changing\"",
        "PRE-PREPARE of node0, view 0", "SUSPECT of node1, view 0", "VIEW-CHANGE of node2, view 1",
        "NEW-VIEW of node1, view 1", "node0 crashes", "view 1, primary node1"}) {
    INFO(part);
    CHECK(svg.find(part) != std::string::npos);
  }
  for (const char* name : {"g", "text", "title", "path", "svg", "defs", "marker", "pattern"}) {
    const std::string opened = std::string("<") + name;
    INFO(name);
    const std::size_t begun = count(svg, opened + " ") + count(svg, opened + ">");
    const std::size_t ended = count(svg, std::string("</") + name + ">");
    CHECK(begun >= ended);
    if (std::string(name) != "path") CHECK(begun == ended);
  }
}

TEST_CASE("a timeline of a chosen window shows that window only") {
  SimulateOptions options = options_for({"crash:primary@1s"});
  options.svg_window = "0.5s-0.6s";
  const Outcome outcome = simulate(options);
  CHECK(outcome.svg.find("0.500 s to 0.600 s") != std::string::npos);
  CHECK(outcome.svg.find("VIEW-CHANGE of") == std::string::npos);
  CHECK(outcome.svg.find("COMMIT of node1, view 0") != std::string::npos);
}
