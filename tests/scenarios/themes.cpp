#include "tests/scenarios/scenario.hpp"

namespace quorate::scenarios {

std::vector<Theme> themes() {
  return {{"normal", normal_scenarios()},        {"primary_faults", primary_fault_scenarios()},
          {"partitions", partition_scenarios()}, {"checkpoints", checkpoint_scenarios()},
          {"recovery", recovery_scenarios()},    {"clients", client_scenarios()},
          {"clocks", clock_scenarios()},         {"certificates", certificate_scenarios()}};
}

}  // namespace quorate::scenarios
