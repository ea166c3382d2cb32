#include <CLI/CLI.hpp>

#include "testnet/compare/command.hpp"

namespace quorate::testnet {

void add_compare_options(CLI::App& command, CompareOptions& options) {
  command.add_flag("--full", options.full,
                   "Five runs of everything, ten minutes for each rate, larger real testnets: many "
                   "hours");
  command.add_option("--seed", options.seed, "Another seed, other luck in the simulator")
      ->capture_default_str();
  command
      .add_option("--only", options.only,
                  "Only this part: load, faults (both on real testnets), scale, attack (both in "
                  "the simulator); repeat")
      ->type_name("PART");
  command
      .add_option_function<std::string>(
          "--out", [&options](const std::string& path) { options.out = path; },
          "Folder for compare.html, compare.json and compare.txt (default ./compare-report)")
      ->type_name("DIR");
  command.add_flag("--tiny", options.tiny,
                   "Everything at its smallest, in about a minute, to see what the report looks "
                   "like: its figures mean nothing");
}

}  // namespace quorate::testnet
