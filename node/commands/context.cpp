#include "node/commands/commands.hpp"

namespace quorate::node {

rpc::LibraryVersions program_libraries() {
  return rpc::library_versions({"boost", "openssl", "libsodium", "rocksdb", "nlohmann-json",
                                "spdlog", "tomlplusplus", "cli11", "prometheus-cpp"});
}

CommandResult<Home> CommandContext::home() const {
  return or_stop(find_home(home_flag, environment));
}

CommandResult<LoadedConfig> CommandContext::config(const Home& home) const {
  return or_stop_configuration(load_config(home.config_file(), environment, settings));
}

}  // namespace quorate::node
