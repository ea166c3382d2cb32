// The genesis as JSON: the file config/genesis.json and the answer of chain_getGenesis. An unknown
// field is refused here, because a misspelt one in a file that people write would silently make
// another chain.
#include "rpc/json/fields.hpp"
#include "rpc/json/ledger_json.hpp"

namespace quorate::rpc {

namespace {

constexpr std::size_t kValidatorsMax = 1024;
constexpr std::size_t kAccountsMax = 1'000'000;

Json consensus_json(const ledger::ConsensusParameters& consensus) {
  Json out{{"engine", consensus.engine},
           {"checkpoint_interval", integer_json(consensus.checkpoint_interval)},
           {"proposals_in_flight", consensus.proposals_in_flight},
           {"payload_bytes_max", consensus.payload_bytes_max},
           {"payload_transactions_max", consensus.payload_transactions_max}};
  for (const auto& [name, value] : consensus.engine_parameters) {
    out["engine_parameters"][name] = integer_json(value);
  }
  return out;
}

Result<void> read_u32(const Fields& fields, const char* name, std::uint32_t& out) {
  if (!fields.has(name)) return {};
  QUORATE_TRY(const std::uint64_t value, fields.integer(name, UINT32_MAX));
  out = static_cast<std::uint32_t>(value);
  return {};
}

Result<std::map<std::string, std::uint64_t>> read_engine_parameters(const Json& json) {
  QUORATE_TRY(const Fields fields, Fields::of(json, "consensus.engine_parameters"));
  std::map<std::string, std::uint64_t> out;
  for (const auto& [name, value] : json.items()) {
    QUORATE_TRY(out[name], fields.integer(name.c_str()));
  }
  return out;
}

// Parameters that are left out have their defaults; the engine must be named.
Result<ledger::ConsensusParameters> read_consensus(const Json& json) {
  QUORATE_TRY(const Fields fields, Fields::of(json, "consensus"));
  QUORATE_CHECK(
      fields.only({"engine", "checkpoint_interval", "proposals_in_flight", "payload_bytes_max",
                   "payload_transactions_max", "engine_parameters"}));
  ledger::ConsensusParameters out;
  QUORATE_TRY(out.engine, fields.text("engine"));
  if (fields.has("checkpoint_interval")) {
    QUORATE_TRY(out.checkpoint_interval, fields.integer("checkpoint_interval"));
  }
  QUORATE_CHECK(read_u32(fields, "proposals_in_flight", out.proposals_in_flight));
  QUORATE_CHECK(read_u32(fields, "payload_bytes_max", out.payload_bytes_max));
  QUORATE_CHECK(read_u32(fields, "payload_transactions_max", out.payload_transactions_max));
  if (fields.has("engine_parameters")) {
    QUORATE_TRY(out.engine_parameters, read_engine_parameters(json.at("engine_parameters")));
  }
  return out;
}

Result<ledger::GenesisValidator> read_validator(const Json& json, const std::string& path) {
  QUORATE_TRY(const Fields fields, Fields::of(json, path));
  QUORATE_CHECK(fields.only({"name", "validator_key", "node_key", "p2p"}));
  ledger::GenesisValidator out;
  QUORATE_TRY(out.name, fields.text("name"));
  QUORATE_TRY(out.validator_key, fields.fixed<PublicKey>("validator_key"));
  QUORATE_TRY(out.node_key, fields.fixed<PublicKey>("node_key"));
  QUORATE_TRY(out.p2p, fields.text("p2p"));
  return out;
}

Result<void> read_permissions(const Json& json, ledger::Genesis& genesis) {
  QUORATE_TRY(const Fields fields, Fields::of(json, "permissions"));
  QUORATE_CHECK(fields.only({"submit"}));
  QUORATE_TRY(const Json* submit, fields.get("submit"));
  genesis.submit_any = submit->is_string() && *submit == "any";
  if (genesis.submit_any) return {};
  if (!submit->is_array() || submit->size() > kAccountsMax) {
    return fail(Errc::bad_encoding, "permissions.submit: expected \"any\" or a list of addresses");
  }
  for (const Json& entry : *submit) {
    QUORATE_TRY(const crypto::Address address, read_address(entry, "permissions.submit"));
    genesis.submitters.push_back(address);
  }
  return {};
}

}  // namespace

Json to_json(const ledger::Genesis& genesis) {
  Json validators = Json::array();
  for (const ledger::GenesisValidator& validator : genesis.validators) {
    validators.push_back({{"name", validator.name},
                          {"validator_key", to_0x(validator.validator_key)},
                          {"node_key", to_0x(validator.node_key)},
                          {"p2p", validator.p2p}});
  }
  Json accounts = Json::array();
  for (const ledger::GenesisAccount& account : genesis.accounts) {
    accounts.push_back(
        {{"address", crypto::to_text(account.address)}, {"balance", amount_json(account.balance)}});
  }
  Json submit = "any";
  if (!genesis.submit_any) {
    submit = Json::array();
    for (const crypto::Address& address : genesis.submitters) {
      submit.push_back(crypto::to_text(address));
    }
  }
  return {{"chain_name", genesis.chain_name},
          {"genesis_time_ms", integer_json(genesis.genesis_time.value())},
          {"consensus", consensus_json(genesis.consensus)},
          {"validators", std::move(validators)},
          {"accounts", std::move(accounts)},
          {"permissions", {{"submit", std::move(submit)}}}};
}

Result<ledger::Genesis> genesis_from_json(const Json& json) {
  QUORATE_TRY(const Fields fields, Fields::of(json, ""));
  QUORATE_CHECK(fields.only(
      {"chain_name", "genesis_time_ms", "consensus", "validators", "accounts", "permissions"}));
  ledger::Genesis genesis;
  QUORATE_TRY(genesis.chain_name, fields.text("chain_name"));
  QUORATE_TRY(genesis.genesis_time, fields.integer_of<WallMs>("genesis_time_ms"));
  QUORATE_TRY(const Json* consensus, fields.get("consensus"));
  QUORATE_TRY(genesis.consensus, read_consensus(*consensus));
  QUORATE_TRY(const Json* validators, fields.array("validators", kValidatorsMax));
  for (std::size_t i = 0; i < validators->size(); ++i) {
    const std::string path = "validators[" + std::to_string(i) + "]";
    QUORATE_TRY(auto validator, read_validator((*validators)[i], path));
    genesis.validators.push_back(std::move(validator));
  }
  QUORATE_TRY(const Json* accounts, fields.array("accounts", kAccountsMax));
  for (std::size_t i = 0; i < accounts->size(); ++i) {
    const std::string path = "accounts[" + std::to_string(i) + "]";
    QUORATE_TRY(const Fields entry, Fields::of((*accounts)[i], path));
    QUORATE_CHECK(entry.only({"address", "balance"}));
    ledger::GenesisAccount account;
    QUORATE_TRY(account.address, entry.address("address"));
    QUORATE_TRY(account.balance, entry.amount("balance"));
    genesis.accounts.push_back(account);
  }
  QUORATE_TRY(const Json* permissions, fields.get("permissions"));
  QUORATE_CHECK(read_permissions(*permissions, genesis));
  return genesis;
}

}  // namespace quorate::rpc
