#include "ledger/types/genesis.hpp"

#include <limits>
#include <set>

#include "crypto/dev_accounts.hpp"
#include "crypto/hash.hpp"
#include "ledger/types/account.hpp"

namespace quorate::ledger {
namespace {

constexpr std::size_t kValidatorsMax = 1000;
constexpr std::size_t kChainNameMax = 64;
constexpr std::size_t kValidatorNameMax = 32;
constexpr std::size_t kEngineNameMax = 16;
constexpr std::size_t kParameterNameMax = 32;
constexpr std::size_t kNoBftBelow = 4;
constexpr std::uint64_t kCheckpointIntervalMax = 1U << 20U;
constexpr std::uint32_t kPayloadBytesMax = 16U << 20U;
constexpr std::uint32_t kPayloadTransactionsMax = 1U << 16U;
// The largest transaction with the count and its length before it must fit an empty payload.
constexpr std::uint32_t kPayloadBytesMin = kTransactionBytesMax + 8;
// A replica keeps, and writes into one record of its vote log, the payloads of up to this many
// times the proposals in flight for each of three views. The limit leaves that record more than
// half of what the log can take.
constexpr std::uint64_t kBodyWindows = 2;
constexpr std::uint64_t kBodyBytesMax = 128U << 20U;
// JSON numbers are exact up to here.
constexpr std::uint64_t kJsonIntegerMax = (std::uint64_t{1} << 53U) - 1;

void encode_members(crypto::Writer& out, const Genesis& genesis) {
  out.u32(static_cast<std::uint32_t>(genesis.validators.size()));
  for (const GenesisValidator& validator : genesis.validators) {
    out.text(validator.name);
    out.raw(validator.validator_key);
    out.raw(validator.node_key);
  }
}

void encode_parameters(crypto::Writer& out, const ConsensusParameters& parameters) {
  out.text(parameters.engine);
  out.u64(parameters.checkpoint_interval);
  out.u32(parameters.proposals_in_flight);
  out.u32(parameters.payload_bytes_max);
  out.u32(parameters.payload_transactions_max);
}

// Last of all, so that chains without them are what they were before there were any.
void encode_engine_parameters(crypto::Writer& out, const ConsensusParameters& parameters) {
  if (parameters.engine_parameters.empty()) return;
  out.u32(static_cast<std::uint32_t>(parameters.engine_parameters.size()));
  for (const auto& [name, value] : parameters.engine_parameters) {
    out.text(name);
    out.u64(value);
  }
}

Result<void> refuse(const std::string& field, const std::string& value, const std::string& rule) {
  return fail(Errc::invalid_argument, "genesis: " + field + " is " + value + "; " + rule);
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

Result<void> check_name(const std::string& field, const std::string& name, std::size_t max) {
  const bool characters = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (!name.empty() && name.size() <= max && characters) return {};
  return refuse(field, quoted(name), "it must have 1 to " + std::to_string(max) + " of a-z 0-9 -");
}

Result<void> check_range(const std::string& field, std::uint64_t value, std::uint64_t min,
                         std::uint64_t max) {
  if (value >= min && value <= max) return {};
  return refuse(field, std::to_string(value),
                "it must be " + std::to_string(min) + " to " + std::to_string(max));
}

Result<void> check_bodies(const ConsensusParameters& parameters) {
  const std::uint64_t most =
      kBodyWindows * parameters.proposals_in_flight * parameters.payload_bytes_max;
  if (most <= kBodyBytesMax) return {};
  return refuse(
      "consensus.proposals_in_flight",
      std::to_string(parameters.proposals_in_flight) + " and consensus.payload_bytes_max is " +
          std::to_string(parameters.payload_bytes_max),
      "twice their product, what a validator may have to keep, is " + std::to_string(most) +
          " bytes and must be at most " + std::to_string(kBodyBytesMax) + "; lower one of the two");
}

// Which there are and what they may be is the engine's to say.
Result<void> check_engine_parameters(const std::map<std::string, std::uint64_t>& parameters) {
  for (const auto& [name, value] : parameters) {
    const std::string field = "consensus.engine_parameters." + name;
    const bool characters = std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
    if (name.empty() || name.size() > kParameterNameMax || !characters) {
      return refuse(field, quoted(name), "a name must have 1 to 32 of a-z 0-9 _");
    }
    QUORATE_CHECK(check_range(field, value, 0, kJsonIntegerMax));
  }
  return {};
}

Result<void> check_parameters(const ConsensusParameters& parameters) {
  QUORATE_CHECK(check_name("consensus.engine", parameters.engine, kEngineNameMax));
  QUORATE_CHECK(check_engine_parameters(parameters.engine_parameters));
  QUORATE_CHECK(check_range("consensus.checkpoint_interval", parameters.checkpoint_interval, 1,
                            kCheckpointIntervalMax));
  QUORATE_CHECK(check_range("consensus.proposals_in_flight", parameters.proposals_in_flight, 1,
                            2 * parameters.checkpoint_interval));
  QUORATE_CHECK(check_range("consensus.payload_bytes_max", parameters.payload_bytes_max,
                            kPayloadBytesMin, kPayloadBytesMax));
  QUORATE_CHECK(check_bodies(parameters));
  return check_range("consensus.payload_transactions_max", parameters.payload_transactions_max, 1,
                     kPayloadTransactionsMax);
}

Result<void> check_validators(const Genesis& genesis, bool allow_no_bft) {
  const std::size_t count = genesis.validators.size();
  QUORATE_CHECK(check_range("the number of validators", count, 1, kValidatorsMax));
  if (count < kNoBftBelow && !allow_no_bft) {
    return refuse("the number of validators", std::to_string(count),
                  "fewer than 4 tolerate no Byzantine fault; give --no-bft to start all the same");
  }
  std::set<std::string> names;
  std::set<PublicKey> keys;
  for (std::size_t i = 0; i < count; ++i) {
    const GenesisValidator& validator = genesis.validators[i];
    const std::string at = "validators[" + std::to_string(i) + "].";
    QUORATE_CHECK(check_name(at + "name", validator.name, kValidatorNameMax));
    if (!names.insert(validator.name).second) {
      return refuse(at + "name", quoted(validator.name), "another validator has this name");
    }
    if (validator.validator_key.is_zero() || validator.node_key.is_zero()) {
      return refuse(at + (validator.node_key.is_zero() ? "node_key" : "validator_key"), "all zero",
                    "give the key that quorate-node init printed");
    }
    if (!keys.insert(validator.validator_key).second) {
      return refuse(at + "validator_key", to_0x(validator.validator_key),
                    "this key appears twice; every key serves one validator and one purpose");
    }
    if (!keys.insert(validator.node_key).second) {
      return refuse(at + "node_key", to_0x(validator.node_key),
                    "this key appears twice; every key serves one validator and one purpose");
    }
  }
  return {};
}

Result<void> check_address(const std::string& field, const crypto::Address& address) {
  if (address.bytes[0] == crypto::kAddressVersion) return {};
  return refuse(field, to_0x(address), "its address version is not known");
}

Result<void> check_accounts(const Genesis& genesis) {
  std::set<crypto::Address> seen;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < genesis.accounts.size(); ++i) {
    const GenesisAccount& account = genesis.accounts[i];
    const std::string at = "accounts[" + std::to_string(i) + "].";
    QUORATE_CHECK(check_address(at + "address", account.address));
    const std::string text = crypto::to_text(account.address);
    if (!seen.insert(account.address).second) {
      return refuse(at + "address", text, "this address appears twice");
    }
    if (crypto::is_dev_account(account.address) && !crypto::is_dev_chain_name(genesis.chain_name)) {
      return refuse(at + "address", text,
                    "it is a development account whose key everybody knows; only a chain_name "
                    "that starts with local- or dev- may fund it");
    }
    if (account.balance > std::numeric_limits<std::uint64_t>::max() - total) {
      return refuse(at + "balance", std::to_string(account.balance),
                    "the sum of all balances must stay below 2^64");
    }
    total += account.balance;
  }
  return {};
}

Result<void> check_permissions(const Genesis& genesis) {
  if (genesis.submit_any) {
    if (genesis.submitters.empty()) return {};
    return refuse("permissions.submit", "\"any\" and a list at once", "give one of the two");
  }
  if (genesis.submitters.empty()) {
    return refuse("permissions.submit", "an empty list",
                  "nobody could ever submit; name an address or write \"any\"");
  }
  std::set<crypto::Address> seen;
  for (std::size_t i = 0; i < genesis.submitters.size(); ++i) {
    const std::string at = "permissions.submit[" + std::to_string(i) + "]";
    QUORATE_CHECK(check_address(at, genesis.submitters[i]));
    if (!seen.insert(genesis.submitters[i]).second) {
      return refuse(at, crypto::to_text(genesis.submitters[i]), "this address appears twice");
    }
  }
  return {};
}

}  // namespace

Bytes encode_identity(const Genesis& genesis) {
  crypto::Writer out;
  out.text(genesis.chain_name);
  out.integer_of(genesis.genesis_time);
  encode_parameters(out, genesis.consensus);
  encode_members(out, genesis);
  out.u32(static_cast<std::uint32_t>(genesis.accounts.size()));
  for (const GenesisAccount& account : genesis.accounts) {
    out.raw(account.address);
    out.u64(account.balance);
  }
  out.u8(genesis.submit_any ? 1 : 0);
  out.u32(static_cast<std::uint32_t>(genesis.submitters.size()));
  for (const crypto::Address& address : genesis.submitters) out.raw(address);
  encode_engine_parameters(out, genesis.consensus);
  return std::move(out).take();
}

Digest chain_id(const Genesis& genesis) {
  return crypto::hash("quorate/genesis/1", {encode_identity(genesis)});
}

Digest config_hash(const Genesis& genesis) {
  crypto::Writer out;
  encode_members(out, genesis);
  encode_parameters(out, genesis.consensus);
  encode_engine_parameters(out, genesis.consensus);
  return crypto::hash("quorate/config/1", {out.view()});
}

crypto::Membership membership(const Genesis& genesis) {
  crypto::Membership out;
  out.chain_id = chain_id(genesis);
  out.config_hash = config_hash(genesis);
  for (const GenesisValidator& validator : genesis.validators) {
    out.validators.push_back(validator.validator_key);
  }
  return out;
}

Result<void> validate(const Genesis& genesis, bool allow_no_bft) {
  QUORATE_CHECK(check_name("chain_name", genesis.chain_name, kChainNameMax));
  QUORATE_CHECK(check_range("genesis_time_ms", genesis.genesis_time.value(), 0, kJsonIntegerMax));
  QUORATE_CHECK(check_parameters(genesis.consensus));
  QUORATE_CHECK(check_validators(genesis, allow_no_bft));
  QUORATE_CHECK(check_accounts(genesis));
  return check_permissions(genesis);
}

}  // namespace quorate::ledger
