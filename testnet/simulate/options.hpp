// What `quorate-testnet simulate` is asked to do: parsed, checked, turned into a scene, and written
// back as the command that shows the same run again. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "consensus/engine_list.hpp"
#include "crypto/base/result.hpp"
#include "testnet/commands/commands.hpp"
#include "tests/sim/timed/scene.hpp"

namespace quorate::testnet {

struct Window {
  Duration begin{0};
  Duration end{0};
};

struct SimulateOptions {
  CommonOptions common;
  std::string engine = consensus::default_engine();
  std::uint32_t nodes = 4;
  std::uint64_t seed = 1;
  std::optional<std::string> seconds;  // by default as the engine needs: usual_of
  std::optional<std::uint32_t> rate;
  std::string network = "lan";
  std::optional<std::string> delay;  // one way, instead of the network's own
  std::optional<std::string> jitter;
  std::optional<std::string> bandwidth;  // bits per second, with k, M or G; 0 = no limit
  std::string loss = "0";                // percent of all frames
  std::vector<std::string> faults;
  unsigned cores = 2;
  bool one_machine = false;
  unsigned neighbours = 0;
  std::uint64_t checkpoint_interval = 128;
  std::optional<std::string> drain;
  std::string costs = "probe";  // probe, reference, a file, or name=nanoseconds,...
  std::optional<std::string> save_costs;
  // Of proof of work.
  std::optional<std::string> interval;
  std::optional<std::uint64_t> depth;
  std::optional<std::string> half_life;
  std::vector<std::uint64_t> hash_shares;
  bool compare_real = false;
  std::optional<std::string> svg;
  std::optional<std::string> svg_window;  // 1.9s-3.2s
};

// What an engine is run with when nobody says.
struct UsualRun {
  std::string seconds;
  std::uint32_t rate;
  std::string drain;
};
UsualRun usual_run(const std::string& engine);

inline constexpr std::uint32_t kSimulatedNodesMin = 4;
inline constexpr std::uint32_t kSimulatedNodesMax = 100;

// "2s", "1.5s", "200ms", "50us". Error invalid_argument, naming the text and the forms there are.
Result<Duration> parse_duration(const std::string& text);
std::string format_duration(Duration duration);
// KIND:WHO[=PACE][*COUNT]@FROM[-UNTIL][/EVERY], see kFaultHelp. Several when COUNT is given.
Result<std::vector<sim::timed::Fault>> parse_fault(const std::string& text, std::uint32_t nodes);
extern const char* const kFaultHelp;

// The scene without costs. Errors: invalid_argument, naming the option.
Result<sim::timed::Scene> make_scene(const SimulateOptions& options);
Result<std::optional<Window>> svg_window(const SimulateOptions& options);
// With costs as the scene has them, so that it depends on no file and no machine.
std::string replay_command(const SimulateOptions& options, const sim::timed::Costs& costs);

// Where replica i stands, for presets with places; empty otherwise.
std::string place_of(const SimulateOptions& options, std::uint32_t replica);

}  // namespace quorate::testnet
