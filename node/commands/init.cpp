#include <chrono>
#include <filesystem>

#include "node/commands/commands.hpp"
#include "node/config/endpoint.hpp"
#include "node/config/files.hpp"
#include "node/config/genesis_file.hpp"
#include "node/config/key_files.hpp"

namespace quorate::node {
namespace {

WallMs wall_now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return WallMs(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count()));
}

Result<void> check_name(const std::string& name) {
  const bool characters = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (!name.empty() && name.size() <= 32 && characters) return {};
  return fail(Errc::invalid_argument,
              "--name '" + name + "': a name has 1 to 32 of a-z, 0-9 and -");
}

// Nothing is written when any file of an earlier init is there.
Result<void> check_untouched(const Home& home) {
  for (const auto& file : {home.node_key_file(), home.validator_key_file(), home.config_file()}) {
    if (std::filesystem::exists(std::filesystem::symlink_status(file))) {
      return fail(Errc::conflict, file.string() +
                                      " exists already; nothing was changed. Choose another "
                                      "--home, or see what is there: quorate-node keys");
    }
  }
  return {};
}

// The port that others are told to use is the port to listen on, unless a flag says otherwise.
std::vector<TextSetting> initial_settings(const CommandContext& context, const Endpoint& p2p) {
  std::vector<TextSetting> out;
  const NodeConfig defaults;
  const std::string listen = to_string(Endpoint{"0.0.0.0", p2p.port});
  if (listen != defaults.p2p.listen) out.push_back({"p2p.listen", listen, "--p2p"});
  out.insert(out.end(), context.settings.begin(), context.settings.end());
  return out;
}

}  // namespace

CommandResult<> init(const CommandContext& context, const InitOptions& options) {
  QUORATE_TRY(const Home home, context.home());
  QUORATE_CHECK(or_stop(check_name(options.name)));
  QUORATE_TRY(const Endpoint p2p, or_stop(parse_endpoint(options.p2p)));
  if (p2p.port == 0) return stop(ExitCode::usage, "--p2p: other validators need a port");
  QUORATE_TRY(const std::string config, or_stop(render_config(initial_settings(context, p2p))));
  QUORATE_CHECK(or_stop(check_untouched(home)));

  QUORATE_CHECK(or_stop(create_home(home)));
  const auto node_key = crypto::NodeKey::random();
  const auto validator_key = crypto::ValidatorKey::random();
  QUORATE_CHECK(or_stop(write_node_key(home.node_key_file(), node_key)));
  QUORATE_CHECK(or_stop(write_validator_key(home.validator_key_file(), validator_key)));
  QUORATE_CHECK(or_stop(write_new_file(home.config_file(), config, 0600)));

  context.output.done("home " + home.root.string() + " with keys and config/config.toml");
  context.output.message("The validator entry for the genesis follows; it holds no secret.");
  context.output.raw(validator_entry_text(
      {{options.name, validator_key.public_key(), node_key.public_key(), options.p2p},
       wall_now()}));
  context.output.next(
      "exchange entries, then quorate-node genesis build ENTRY... --chain-name "
      "NAME --output " +
      home.genesis_file().string());
  return {};
}

}  // namespace quorate::node
