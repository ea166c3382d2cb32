// The acceptance scenarios by id, and how one is described. Each runs at several sizes; one that
// enumerates something (crash points, schedules) has many cases, and each case is a run of its own
// that can be repeated alone.
#pragma once

#include <cstdlib>
#include <vector>

#include "tests/scenarios/stage.hpp"

namespace quorate::scenarios {

struct Scenario {
  const char* id;
  const char* title;
  std::vector<std::uint32_t> sizes;
  // Of each size, in the ordinary run. An enumeration may end earlier: Stage::no_such_case().
  std::uint64_t cases;
  void (*play)(Stage& stage);
  // Every case number is a new random case, so that there is always more to try.
  bool endless = false;

  // Of its random numbers in one case.
  std::uint64_t seed(std::uint64_t number) const {
    return number * 1'000 + std::strtoull(id + 1, nullptr, 10);
  }
};

inline void expect_no_view_change(Stage& stage) {
  stage.expect(stage.left().empty() && stage.entered().empty(), "a view changed");
}

// By theme, in the files of the same names.
std::vector<Scenario> normal_scenarios();
std::vector<Scenario> primary_fault_scenarios();
std::vector<Scenario> byzantine_primary_scenarios();
std::vector<Scenario> byzantine_view_change_scenarios();
std::vector<Scenario> byzantine_replica_scenarios();
std::vector<Scenario> partition_scenarios();
std::vector<Scenario> checkpoint_scenarios();
std::vector<Scenario> recovery_scenarios();
std::vector<Scenario> damaged_disk_scenarios();
std::vector<Scenario> client_scenarios();
std::vector<Scenario> clock_scenarios();
std::vector<Scenario> certificate_scenarios();
std::vector<Scenario> beyond_model_scenarios();

struct Theme {
  const char* name;
  std::vector<Scenario> scenarios;
};
std::vector<Theme> themes();

}  // namespace quorate::scenarios
