#include <iostream>
#include <iterator>

#include "crypto/dev_accounts.hpp"
#include "node/commands/commands.hpp"
#include "node/config/files.hpp"
#include "node/config/genesis_file.hpp"
#include "node/engine_config.hpp"

namespace quorate::node {
namespace {

constexpr std::size_t kEntryBytesMax = 65'536;

CommandResult<ValidatorEntry> read_entry(const std::string& file) {
  Result<std::string> text =
      file == "-" ? Result<std::string>(std::string(std::istreambuf_iterator<char>(std::cin), {}))
                  : read_text_file(file, kEntryBytesMax);
  QUORATE_TRY(const std::string content, or_stop(std::move(text)));
  auto entry = or_stop_configuration(parse_validator_entry(content));
  if (!entry) entry.error().message = file + ": " + entry.error().message;
  return entry;
}

CommandResult<GenesisPlan> make_plan(const GenesisBuildOptions& options) {
  GenesisPlan plan;
  plan.chain_name = options.chain_name;
  plan.consensus.engine = options.engine;
  QUORATE_TRY(plan.consensus.engine_parameters,
              or_stop(parse_engine_parameters(options.engine_parameters), ExitCode::usage));
  if (options.time_ms) plan.time = WallMs(*options.time_ms);
  for (const std::string& file : options.entries) {
    QUORATE_TRY(ValidatorEntry entry, read_entry(file));
    plan.entries.push_back(std::move(entry));
  }
  for (const std::string& text : options.accounts) {
    QUORATE_TRY(const ledger::GenesisAccount account, or_stop(parse_genesis_account(text)));
    plan.accounts.push_back(account);
  }
  if (options.dev_accounts) {
    for (std::uint32_t i = 0; i < crypto::kDevNames.size(); ++i) {
      plan.accounts.push_back({crypto::dev_account_address(i), *options.dev_accounts});
    }
  }
  for (const std::string& text : options.submitters) {
    QUORATE_TRY(const crypto::Address address,
                or_stop(crypto::parse_address(text), ExitCode::usage));
    plan.submitters.push_back(address);
  }
  return plan;
}

CommandResult<std::filesystem::path> genesis_path(const CommandContext& context,
                                                  const std::optional<std::string>& file) {
  if (file) return std::filesystem::path(*file);
  QUORATE_TRY(const Home home, context.home());
  return home.genesis_file();
}

// Error 78 when there is no such engine, or it refuses a parameter.
CommandResult<Report> summary(const ledger::Genesis& genesis) {
  QUORATE_TRY(const consensus::EngineTraits traits,
              or_stop(engine_traits(genesis), ExitCode::configuration));
  Report out;
  out.add("chain_id", to_0x(ledger::chain_id(genesis)));
  out.add("config_hash", to_0x(ledger::config_hash(genesis)));
  out.add("chain_name", genesis.chain_name).add("engine", genesis.consensus.engine);
  for (const auto& [name, value] : genesis.consensus.engine_parameters) out.add(name, value);
  const auto membership = ledger::membership(genesis);
  out.add("validators", std::uint64_t{membership.size()});
  if (traits.seals) {
    out.add("tolerates_faults", std::uint64_t{membership.faults()});
    out.add("quorum", std::uint64_t{membership.quorum()});
  } else {
    out.add("commit_depth", std::uint64_t{traits.commit_depth});
  }
  out.add("accounts", std::uint64_t{genesis.accounts.size()});
  return out;
}

}  // namespace

CommandResult<> genesis_build(const CommandContext& context, const GenesisBuildOptions& options) {
  QUORATE_TRY(GenesisPlan plan, make_plan(options));
  QUORATE_TRY(const ledger::Genesis genesis,
              or_stop(build_genesis(std::move(plan), options.no_bft), ExitCode::configuration));
  QUORATE_TRY(Report report, summary(genesis));
  if (!options.output) {
    context.output.raw(genesis_text(genesis));
    context.output.message("chain_id " + to_0x(ledger::chain_id(genesis)) +
                           ": compare it with the other organisations");
    return {};
  }
  QUORATE_CHECK(or_stop(write_genesis_file(*options.output, genesis)));
  report.add("file", *options.output);
  context.output.report(report);
  context.output.next("compare the chain_id with the other organisations, then quorate-node run");
  return {};
}

CommandResult<> genesis_hash(const CommandContext& context, const GenesisHashOptions& options) {
  QUORATE_TRY(const std::filesystem::path path, genesis_path(context, options.file));
  QUORATE_TRY(const ledger::Genesis genesis, or_stop_configuration(read_genesis_file(path)));
  if (context.output.json()) {
    Report report;
    report.add("chain_id", to_0x(ledger::chain_id(genesis)));
    context.output.report(report);
  } else {
    context.output.raw(to_0x(ledger::chain_id(genesis)) + "\n");
  }
  return {};
}

CommandResult<> genesis_validate(const CommandContext& context,
                                 const GenesisValidateOptions& options) {
  QUORATE_TRY(const std::filesystem::path path, genesis_path(context, options.file));
  QUORATE_TRY(const ledger::Genesis genesis, or_stop_configuration(read_genesis_file(path)));
  QUORATE_CHECK(or_stop(ledger::validate(genesis, options.no_bft), ExitCode::configuration));
  QUORATE_TRY(const Report report, summary(genesis));
  context.output.report(report);
  return {};
}

}  // namespace quorate::node
