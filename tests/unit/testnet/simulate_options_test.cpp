#include "testnet/simulate/options.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "testnet/simulate/costs.hpp"
#include "testnet/simulate/timescale.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace quorate;
using namespace quorate::testnet;
using sim::timed::FaultKind;
using std::chrono::milliseconds;

TEST_CASE("durations are read with their unit and written back the same") {
  for (const char* text : {"2s", "1.5s", "200ms", "50us", "0.25s"}) {
    INFO(text);
    const auto parsed = parse_duration(text);
    REQUIRE(parsed.has_value());
    CHECK(parse_duration(format_duration(*parsed)).value() == *parsed);
  }
  CHECK(parse_duration("1.5s").value() == milliseconds(1500));
  for (const char* text : {"", "s", "5", "-1s", "1.s", ".5s", "1e3s", "1 s", "99999999999s"}) {
    INFO(text);
    REQUIRE_FALSE(parse_duration(text).has_value());
    CHECK(parse_duration(text).error().code == Errc::invalid_argument);
  }
}

TEST_CASE("a fault says what, who and when") {
  const auto crash = parse_fault("crash:0,2-3@2s-4.5s", 7).value();
  REQUIRE(crash.size() == 1);
  CHECK(crash[0].kind == FaultKind::crash);
  CHECK(crash[0].replicas == std::vector{ReplicaId(0), ReplicaId(2), ReplicaId(3)});
  CHECK(crash[0].at == milliseconds(2000));
  CHECK(crash[0].until == Duration(milliseconds(4500)));

  const auto slow = parse_fault("slow:1=300ms@1s", 4).value();
  CHECK(slow[0].kind == FaultKind::slow);
  CHECK(slow[0].pace == milliseconds(300));
  CHECK_FALSE(slow[0].until.has_value());
}

TEST_CASE("a fault can be repeated and strike whoever is primary then") {
  const auto row = parse_fault("crash:primary*10@2s/3s", 31).value();
  REQUIRE(row.size() == 10);
  CHECK(row[0].replicas.empty());
  CHECK(row[9].at == milliseconds(29'000));
}

TEST_CASE("a fault that makes no sense is refused and named") {
  for (const char* text :
       {"crash", "crash:0", "melt:0@1s", "crash:4@1s", "crash:x@1s", "crash:3-1@1s", "crash:0@1",
        "crash:0@3s-2s", "crash:0=5ms@1s", "partition:0-3@1s", "crash:0*3@1s", "crash:0@1s/2s",
        "crash:0*0@1s/1s", "crash:@1s", "crash:0,@1s"}) {
    INFO(text);
    const auto fault = parse_fault(text, 4);
    REQUIRE_FALSE(fault.has_value());
    CHECK(fault.error().code == Errc::invalid_argument);
    CHECK(fault.error().detail.find(text) != std::string::npos);
  }
}

TEST_CASE("a scene is refused with the option that is wrong") {
  const auto detail = [](auto change) {
    SimulateOptions options;
    change(options);
    const auto scene = make_scene(options);
    return scene ? std::string("accepted") : scene.error().detail;
  };
  using Options = SimulateOptions;
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  CHECK(has(detail([](Options& o) { o.nodes = 3; }), "--nodes 3"));
  CHECK(has(detail([](Options& o) { o.nodes = 101; }), "--nodes 101"));
  CHECK(has(detail([](Options& o) { o.network = "moon"; }), "moon"));
  CHECK(has(detail([](Options& o) { o.loss = "101"; }), "--loss"));
  CHECK(has(detail([](Options& o) { o.bandwidth = "fast"; }), "--bandwidth"));
  CHECK(has(detail([](Options& o) { o.faults = {"crash:0@9s"}; }), "after the end"));
}

TEST_CASE("costs survive the command line and a file") {
  sim::timed::Costs costs;
  costs.verify = 12'345;
  costs.client_tx = 0;
  CHECK(to_text(costs) == "verify=12345,client_tx=0");
  CHECK(read_costs(to_text(costs)).value() == costs);
  CHECK(read_costs("reference").value() == sim::timed::Costs{});
  const TemporaryFolder folder;
  const auto file = folder.path() / "costs.json";
  REQUIRE(save_costs(file, costs).has_value());
  CHECK(read_costs(file.string()).value() == costs);
}

TEST_CASE("costs that cannot be meant are refused") {
  CHECK(read_costs("verfy=1").error().detail.find("did you mean verify") != std::string::npos);
  CHECK(read_costs("verify=-1").error().code == Errc::invalid_argument);
  CHECK(read_costs("verify=").error().code == Errc::invalid_argument);
  CHECK(read_costs("verify=1,").has_value());
  CHECK(read_costs("verify=1x").error().code == Errc::invalid_argument);
  CHECK(read_costs("nowhere.json").error().code == Errc::not_found);
}

TEST_CASE("the replay command names everything that shapes the run") {
  SimulateOptions options;
  options.nodes = 7;
  options.seed = 9;
  options.faults = {"crash:primary*2@1s/2s"};
  options.loss = "0.5";
  options.one_machine = true;
  const std::string command = replay_command(options, {});
  for (const char* part : {"--nodes 7", "--seed 9", "--fault 'crash:primary*2@1s/2s'", "--loss 0.5",
                           "--one-machine", "--costs reference"}) {
    INFO(command);
    CHECK(command.find(part) != std::string::npos);
  }
}

TEST_CASE("a time scale cuts long pauses and keeps order") {
  const Window window{milliseconds(0), milliseconds(10'000)};
  const TimeScale scale(
      window, {{milliseconds(0), milliseconds(20)}, {milliseconds(9'980), window.end}}, 100, 1100);
  REQUIRE(scale.stretches().size() == 3);
  CHECK(scale.stretches()[1].gap);
  double before = 99;
  for (int ms = 0; ms <= 10'000; ms += 5) {
    const double x = scale.x(milliseconds(ms));
    CHECK(x >= before);
    before = x;
  }
  CHECK(scale.x(window.begin) == Approx(100));
  CHECK(scale.x(window.end) == Approx(1100));
  CHECK(scale.ticks().size() >= 4);
}

TEST_CASE("a time scale without pauses is a straight line") {
  const Window window{milliseconds(0), milliseconds(100)};
  const TimeScale scale(window, {window}, 0, 1000);
  CHECK(scale.stretches().size() == 1);
  CHECK(scale.x(milliseconds(25)) == Approx(250));
}
