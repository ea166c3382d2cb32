#include <CLI/CLI.hpp>

#include "consensus/engine_list.hpp"
#include "testnet/simulate/command.hpp"

namespace quorate::testnet {

namespace {

constexpr unsigned kCoresMax = 1024;
constexpr std::uint32_t kRateMax = 1'000'000;
constexpr std::uint64_t kCheckpointIntervalMax = 1U << 16U;

std::string text(const std::string& value) { return value; }
std::string text(std::uint32_t value) { return std::to_string(value); }

// What an engine is run with when nobody says, for each: "(this 5s, that 120s)".
template <class Field>
std::string usual(Field UsualRun::*field) {
  std::string out;
  for (const consensus::EngineKind& kind : consensus::engine_kinds()) {
    if (kind.proved_by == consensus::ProvedBy::none) continue;
    const std::string name(kind.name);
    out += (out.empty() ? "(" : ", ") + name + " " + text(usual_run(name).*field);
  }
  return out + ")";
}

void add_what(CLI::App& command, SimulateOptions& options) {
  command.add_option("--engine", options.engine, "What orders: " + consensus::engine_names())
      ->capture_default_str();
  command.add_option("--nodes,--n", options.nodes, "How many replicas, 4 to 100")
      ->capture_default_str();
  command.add_option("--seconds", options.seconds,
                     "Virtual time under load, as in 5s or 500ms " + usual(&UsualRun::seconds));
  command
      .add_option("--rate", options.rate,
                  "Transactions per virtual second " + usual(&UsualRun::rate))
      ->check(CLI::Range(1U, kRateMax));
  command.add_option("--fault", options.faults, kFaultHelp)->take_all();
  command.add_option("--seed", options.seed, "Another seed, other jitter and losses")
      ->capture_default_str();
  command.add_option(
      "--drain", options.drain,
      "Virtual time to wait for what is not final at the end " + usual(&UsualRun::drain));
  command
      .add_option("--checkpoint-interval", options.checkpoint_interval,
                  "Blocks between checkpoints")
      ->capture_default_str()
      ->check(CLI::Range(std::uint64_t{1}, kCheckpointIntervalMax));
}

void add_work(CLI::App& command, SimulateOptions& options) {
  const std::string work = consensus::engines_proved_by(consensus::ProvedBy::work);
  command.add_option("--interval", options.interval, work + ": aimed time between blocks (2s)");
  command.add_option("--depth", options.depth,
                     work + ": a block is final when so many stand on it, its own included (6)");
  command.add_option("--half-life", options.half_life,
                     work + ": how fast difficulty follows the hash rate (120s)");
  command
      .add_option("--hash-share", options.hash_shares,
                  work + ": each node's share of the hash rate, as in 40,20,20,20 (equal)")
      ->delimiter(',');
}

void add_where(CLI::App& command, SimulateOptions& options) {
  command
      .add_option("--network", options.network,
                  "lan (0.1 ms, 1 Gbit/s), wan (five data centres, up to 160 ms, 1 Gbit/s) or "
                  "local (loopback)")
      ->capture_default_str();
  command.add_option("--delay", options.delay, "The same one-way delay on every link, as in 20ms");
  command.add_option("--jitter", options.jitter, "Up to so much more delay for each message");
  command.add_option("--bandwidth", options.bandwidth,
                     "Bits per second out of each replica, as in 100M (0: no limit)");
  command.add_option("--loss", options.loss, "Percent of all messages that are lost")
      ->capture_default_str();
  command.add_option("--cores", options.cores, "Cores of each machine")
      ->capture_default_str()
      ->check(CLI::Range(1U, kCoresMax));
  command.add_flag("--one-machine", options.one_machine,
                   "All replicas and the clients share the cores of one machine");
  command
      .add_option("--neighbours", options.neighbours,
                  "Threads of other programs on each machine that always want a core")
      ->capture_default_str()
      ->check(CLI::Range(0U, kCoresMax));
  command
      .add_option("--costs", options.costs,
                  "What CPU work costs: probe (measure this machine), reference, a file, or "
                  "name=nanoseconds,...")
      ->capture_default_str();
}

void add_output(CLI::App& command, SimulateOptions& options) {
  command.add_option("--svg", options.svg, "Draw who sent what to whom, and when, into this file");
  command.add_option("--svg-window", options.svg_window,
                     "What to draw, as in 1.9s-3.2s (default: around what goes wrong first)");
  command.add_flag("--compare-real", options.compare_real,
                   "Instead: run the same load on a real testnet of four nodes on this machine and "
                   "on four simulated ones, and report how far the simulation is off");
  command.add_option("--save-costs", options.save_costs, "Write the costs to this file");
}

}  // namespace

void add_simulate_options(CLI::App& command, SimulateOptions& options) {
  add_what(command, options);
  add_work(command, options);
  add_where(command, options);
  add_output(command, options);
}

}  // namespace quorate::testnet
