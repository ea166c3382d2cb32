#include "node/commands/commands.hpp"

namespace quorate::node {

CommandResult<Home> CommandContext::home() const {
  return or_stop(find_home(home_flag, environment));
}

CommandResult<LoadedConfig> CommandContext::config(const Home& home) const {
  return or_stop_configuration(load_config(home.config_file(), environment, settings));
}

}  // namespace quorate::node
