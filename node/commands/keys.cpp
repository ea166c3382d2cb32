#include "node/commands/commands.hpp"
#include "node/config/key_files.hpp"

namespace quorate::node {

CommandResult<> keys(const CommandContext& context) {
  QUORATE_TRY(const Home home, context.home());
  QUORATE_TRY(const crypto::NodeKey node_key, or_stop(read_node_key(home.node_key_file())));
  QUORATE_TRY(const crypto::ValidatorKey validator_key,
              or_stop(read_validator_key(home.validator_key_file())));
  Report report;
  report.add("home", home.root.string());
  report.add("node_key", to_0x(node_key.public_key()));
  report.add("validator_key", to_0x(validator_key.public_key()));
  context.output.report(report);
  return {};
}

}  // namespace quorate::node
