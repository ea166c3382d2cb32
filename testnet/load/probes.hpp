// What this machine can do, measured in the same run as the load, so that results can be given as
// ratios that survive a change of machine.
#pragma once

#include <cstdint>
#include <filesystem>

#include "crypto/base/result.hpp"
#include "testnet/load/workload.hpp"

namespace quorate::testnet {

struct Probes {
  unsigned cores = 0;       // of the affinity mask
  double verify_us = 0;     // one signature check of the workload: median thread CPU time
  double sha256_us = 0;     // one hash of 256 bytes: median thread CPU time
  double hop_us = 0;        // one way over a loopback TCP connection: median of half a round trip
  double fdatasync_us = 0;  // one synced append of 4 KiB beside the nodes' data: median

  // CEIL = cores / (n * verify): transactions per second if checking every signature on every one
  // of n replicas were the only work.
  double ceiling(std::size_t nodes) const {
    return 1e6 * cores / (static_cast<double>(nodes) * verify_us);
  }
};

// `folder` must be on the disk that the nodes write to. Errors: io.
Result<Probes> run_probes(const Digest& chain_id, const LoadAccount& account,
                          const std::filesystem::path& folder);

// CPU time that the hypervisor gave to others, and all CPU time, since boot, in ticks.
struct StealSample {
  std::uint64_t steal = 0;
  std::uint64_t total = 0;
};
StealSample sample_steal();

}  // namespace quorate::testnet
