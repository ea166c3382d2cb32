// Runs the load: prepares accounts and probes once, then measures idle latency and points of a
// sweep, and checks at the end that every node agrees and nothing acknowledged is missing.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ledger/types/genesis.hpp"
#include "testnet/cluster.hpp"
#include "testnet/load/collector.hpp"
#include "testnet/load/probes.hpp"
#include "testnet/load/statistics.hpp"
#include "testnet/load/workload.hpp"

namespace quorate::testnet {

struct CpuUse {
  std::string process;
  double cores = 0;  // CPU seconds per second
};

struct PointResult {
  double offered = 0;  // transactions per second, as scheduled
  double seconds = 0;
  bool whole = true;     // not interrupted: its rates say something
  double committed = 0;  // transactions per second that became final in the measured window
  Sender::Totals totals;
  std::map<std::string, std::uint64_t> refusals;
  std::uint64_t finals = 0;      // of all that were sent, until the queue was empty
  std::uint64_t failed = 0;      // known to be final without effect
  std::uint64_t unfinished = 0;  // sent, not final when we stopped waiting
  std::uint64_t reversed = 0;    // were final once and withdrawn; they may be final again
  Percentiles latency_ms;        // due time to verified block certificate
  Percentiles proof_ms;          // a sample: due time until the receipt's proof was verified too
  // Seconds since the first was due at which some became final, each moment once, in order.
  std::vector<double> final_at_s;
  std::vector<CpuUse> cpu;
  double steal = 0;  // share of all CPU time that the hypervisor took

  // The nodes finished nearly as much as was offered.
  bool kept_up() const { return committed >= 0.95 * offered; }
};

struct IdleResult {
  // One at a time: submit to verified certificate and receipt proof; without seals, to final.
  Percentiles latency_ms;
  double ratio = 0;  // p50 / (5 hops + 2 fdatasync)
};

struct CheckResult {
  std::uint64_t height = 0;
  bool roots_equal = false;
  std::uint64_t acknowledged = 0;  // final transactions that this run verified
  std::uint64_t committed = 0;     // nonces used up, as the chain has it
  bool supply_unchanged = false;   // load accounts' balances add up as before
};

struct GeneratorOptions {
  unsigned connections_per_node = 2;
  std::chrono::milliseconds batch_delay{5};
  std::chrono::seconds drain_timeout{60};
  std::optional<std::filesystem::path> ack_file;
  bool progress = false;  // a line on standard error while it runs
  // Called every tenth of a second of a point with the seconds since its first transaction was due,
  // on the thread that measures: for whoever breaks something meanwhile.
  std::function<void(double)> each_tick = nullptr;
};

class Generator {
 public:
  // Reads the genesis, the accounts' nonces and runs the probes. Errors: rejected when the testnet
  // has no load accounts; unavailable when no node answers.
  static Result<std::unique_ptr<Generator>> create(const Cluster& cluster,
                                                   GeneratorOptions options);
  ~Generator();

  const Probes& probes() const;
  double ceiling() const;
  Result<IdleResult> measure_idle(std::size_t transactions);
  Result<PointResult> measure_point(double rate, double seconds);
  Result<CheckResult> check();
  // Makes a running measurement end early; safe in a signal handler.
  static void interrupt();
  // From now on SIGINT, SIGTERM and SIGHUP (unless `nohup` ignores that) do so, for commands whose
  // nodes must end before they do.
  static void interrupt_on_signals();
  static bool interrupted();

 private:
  struct Impl;
  explicit Generator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::testnet
