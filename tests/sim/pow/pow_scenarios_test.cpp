// Every staged run of proof of work, with all of its cases.
#include <catch2/catch.hpp>

#include "tests/sim/pow/pow_scenarios.hpp"

using namespace quorate::sim::pow;

TEST_CASE("the scenarios of proof of work") {
  for (const Scenario& scenario : all_scenarios()) {
    DYNAMIC_SECTION(scenario.id << ": " << scenario.title) {
      for (std::uint64_t number = 0; number < scenario.cases; ++number) {
        Stage stage(number);
        scenario.play(stage);
        if (stage.exhausted()) break;
        INFO(scenario.id << " case " << number);
        if (stage.violation())
          FAIL(stage.violation()->invariant << ": " << stage.violation()->detail);
      }
    }
  }
}
