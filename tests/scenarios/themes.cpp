#include "tests/scenarios/scenario.hpp"

namespace quorate::scenarios {

std::vector<Theme> themes() {
  return {{"normal", normal_scenarios()},
          {"primary_faults", primary_fault_scenarios()},
          {"byzantine_primary", byzantine_primary_scenarios()},
          {"byzantine_view_change", byzantine_view_change_scenarios()},
          {"byzantine_replicas", byzantine_replica_scenarios()},
          {"partitions", partition_scenarios()},
          {"checkpoints", checkpoint_scenarios()},
          {"recovery", recovery_scenarios()},
          {"damaged_disks", damaged_disk_scenarios()},
          {"clients", client_scenarios()},
          {"clocks", clock_scenarios()},
          {"certificates", certificate_scenarios()},
          {"beyond_model", beyond_model_scenarios()}};
}

}  // namespace quorate::scenarios
