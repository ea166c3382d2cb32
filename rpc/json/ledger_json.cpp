#include "rpc/json/ledger_json.hpp"

#include <chrono>
#include <cstdio>

#include "rpc/json/fields.hpp"

namespace quorate::rpc {

namespace {

constexpr std::size_t kMembersMax = 1024;
constexpr std::size_t kMerkleSiblingsMax = 64;  // a count is 64 bits
constexpr std::size_t kStateSiblingsMax = 256;  // a key is 256 bits
// The last millisecond of the year 9999, where RFC 3339 ends.
constexpr std::uint64_t kRfc3339Max = 253'402'300'799'999;

Json siblings_json(const std::vector<Digest>& siblings) {
  Json out = Json::array();
  for (const Digest& sibling : siblings) out.push_back(to_0x(sibling));
  return out;
}

Result<std::vector<Digest>> read_siblings(const Fields& fields, std::size_t max) {
  QUORATE_TRY(const Json* array, fields.array("siblings", max));
  std::vector<Digest> out;
  for (const Json& entry : *array) {
    QUORATE_TRY(const Digest digest, read_fixed<Digest>(entry, fields.path("siblings")));
    out.push_back(digest);
  }
  return out;
}

}  // namespace

std::string rfc3339(WallMs time) {
  using namespace std::chrono;
  const sys_time<milliseconds> at{milliseconds(std::min(time.value(), kRfc3339Max))};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss clock{at - day};
  char text[40];
  std::snprintf(
      text, sizeof(text), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

Json to_json(const ledger::Header& header) {
  return {{"version", header.version},
          {"chain_id", to_0x(header.chain_id)},
          {"epoch", integer_json(header.epoch.value())},
          {"height", integer_json(header.height.value())},
          {"parent_hash", to_0x(header.parent_hash)},
          {"time", rfc3339(header.time)},
          {"time_ms", integer_json(header.time.value())},
          {"proposer", to_0x(header.proposer)},
          {"payload_id", to_0x(header.payload_id)},
          {"transaction_count", header.transaction_count},
          {"transactions_root", to_0x(header.transactions_root)},
          {"receipts_root", to_0x(header.receipts_root)},
          {"state_root", to_0x(header.state_root)},
          {"config_hash", to_0x(header.config_hash)},
          {"next_config_hash", to_0x(header.next_config_hash)}};
}

Result<ledger::Header> header_from_json(const Json& json) {
  QUORATE_TRY(const Fields fields, Fields::of(json, "header"));
  ledger::Header header;
  QUORATE_TRY(const std::uint64_t version, fields.integer("version", UINT8_MAX));
  header.version = static_cast<std::uint8_t>(version);
  QUORATE_TRY(header.chain_id, fields.fixed<Digest>("chain_id"));
  QUORATE_TRY(header.epoch, fields.integer_of<Epoch>("epoch"));
  QUORATE_TRY(header.height, fields.integer_of<Height>("height"));
  QUORATE_TRY(header.parent_hash, fields.fixed<Digest>("parent_hash"));
  // The header's hash covers time_ms; `time` is the same for people.
  QUORATE_TRY(header.time, fields.integer_of<WallMs>("time_ms"));
  QUORATE_TRY(header.proposer, fields.fixed<PublicKey>("proposer"));
  QUORATE_TRY(header.payload_id, fields.fixed<Digest>("payload_id"));
  QUORATE_TRY(const std::uint64_t count, fields.integer("transaction_count", UINT32_MAX));
  header.transaction_count = static_cast<std::uint32_t>(count);
  QUORATE_TRY(header.transactions_root, fields.fixed<Digest>("transactions_root"));
  QUORATE_TRY(header.receipts_root, fields.fixed<Digest>("receipts_root"));
  QUORATE_TRY(header.state_root, fields.fixed<Digest>("state_root"));
  QUORATE_TRY(header.config_hash, fields.fixed<Digest>("config_hash"));
  QUORATE_TRY(header.next_config_hash, fields.fixed<Digest>("next_config_hash"));
  return header;
}

Json to_json(const ledger::Receipt& receipt) {
  return {{"transaction_id", to_0x(receipt.transaction_id)},
          {"outcome", ledger::to_string(receipt.outcome)},
          {"reason", ledger::to_string(receipt.reason)},
          {"failed_operation", receipt.failed_operation}};
}

Result<ledger::Receipt> receipt_from_json(const Json& json) {
  QUORATE_TRY(const Fields fields, Fields::of(json, "receipt"));
  ledger::Receipt receipt;
  QUORATE_TRY(receipt.transaction_id, fields.fixed<Digest>("transaction_id"));
  QUORATE_TRY(const std::string outcome, fields.text("outcome"));
  bool known = false;
  for (const auto candidate :
       {ledger::Outcome::succeeded, ledger::Outcome::failed, ledger::Outcome::skipped}) {
    if (ledger::to_string(candidate) != outcome) continue;
    receipt.outcome = candidate;
    known = true;
  }
  if (!known) return fail(Errc::bad_encoding, "receipt.outcome: unknown outcome " + outcome);
  QUORATE_TRY(const std::string reason, fields.text("reason"));
  known = false;
  for (unsigned value = 0; value <= UINT8_MAX && !known; ++value) {
    const auto candidate = ledger::reason_from(static_cast<std::uint8_t>(value));
    if (!candidate || ledger::to_string(*candidate) != reason) continue;
    receipt.reason = *candidate;
    known = true;
  }
  if (!known) return fail(Errc::bad_encoding, "receipt.reason: unknown reason " + reason);
  QUORATE_TRY(const std::uint64_t failed, fields.integer("failed_operation", UINT8_MAX));
  receipt.failed_operation = static_cast<std::uint8_t>(failed);
  return receipt;
}

Json to_json(const ledger::BlockCertificate& certificate) {
  Json seals = Json::array();
  for (const crypto::ReplicaSignature& seal : certificate.seals) {
    seals.push_back({{"replica", seal.replica.value()}, {"signature", to_0x(seal.signature)}});
  }
  return {{"block_hash", to_0x(ledger::block_hash(certificate.header))},
          {"header", to_json(certificate.header)},
          {"seals", std::move(seals)}};
}

Result<ledger::BlockCertificate> certificate_from_json(const Json& json) {
  QUORATE_TRY(const Fields fields, Fields::of(json, "certificate"));
  ledger::BlockCertificate certificate;
  QUORATE_TRY(const Json* header, fields.get("header"));
  QUORATE_TRY(certificate.header, header_from_json(*header));
  QUORATE_TRY(const Digest hash, fields.fixed<Digest>("block_hash"));
  if (hash != ledger::block_hash(certificate.header)) {
    return fail(Errc::bad_encoding, "certificate.block_hash: is not the hash of the header");
  }
  QUORATE_TRY(const Json* seals, fields.array("seals", kMembersMax));
  for (const Json& entry : *seals) {
    QUORATE_TRY(const Fields seal, Fields::of(entry, "certificate.seals"));
    crypto::ReplicaSignature signature;
    QUORATE_TRY(signature.replica, seal.integer_of<ReplicaId>("replica"));
    QUORATE_TRY(signature.signature, seal.fixed<Signature>("signature"));
    if (!certificate.seals.empty() && certificate.seals.back().replica >= signature.replica) {
      return fail(Errc::bad_encoding, "certificate.seals: not in strictly increasing order");
    }
    certificate.seals.push_back(signature);
  }
  return certificate;
}

Json to_json(const ledger::MerkleProof& proof) {
  return {{"index", integer_json(proof.index)},
          {"count", integer_json(proof.count)},
          {"siblings", siblings_json(proof.siblings)}};
}

Result<ledger::MerkleProof> merkle_proof_from_json(const Json& json) {
  QUORATE_TRY(const Fields fields, Fields::of(json, "path"));
  ledger::MerkleProof proof;
  QUORATE_TRY(proof.index, fields.integer("index"));
  QUORATE_TRY(proof.count, fields.integer("count"));
  QUORATE_TRY(proof.siblings, read_siblings(fields, kMerkleSiblingsMax));
  return proof;
}

Json to_json(const ledger::StateProof& proof) {
  Json out = {{"siblings", siblings_json(proof.siblings)}, {"leaf", nullptr}};
  if (proof.leaf) {
    out["leaf"] = {{"address", crypto::to_text(proof.leaf->address)},
                   {"balance", amount_json(proof.leaf->account.balance)},
                   {"nonce", integer_json(proof.leaf->account.nonce)}};
  }
  return out;
}

Result<ledger::StateProof> state_proof_from_json(const Json& json) {
  QUORATE_TRY(const Fields fields, Fields::of(json, "proof"));
  ledger::StateProof proof;
  QUORATE_TRY(proof.siblings, read_siblings(fields, kStateSiblingsMax));
  QUORATE_TRY(const Json* leaf_json, fields.get("leaf"));
  if (leaf_json->is_null()) return proof;
  QUORATE_TRY(const Fields leaf_fields, Fields::of(*leaf_json, "proof.leaf"));
  ledger::StateLeaf leaf;
  QUORATE_TRY(leaf.address, leaf_fields.address("address"));
  QUORATE_TRY(leaf.account.balance, leaf_fields.amount("balance"));
  QUORATE_TRY(leaf.account.nonce, leaf_fields.integer("nonce"));
  proof.leaf = leaf;
  return proof;
}

namespace {

Json operation_json(const ledger::Transfer& transfer) {
  return {{"kind", "transfer"},
          {"to", crypto::to_text(transfer.to)},
          {"amount", amount_json(transfer.amount)}};
}

}  // namespace

Json to_json(const ledger::Transaction& transaction) {
  Json operations = Json::array();
  for (const ledger::Operation& operation : transaction.operations) {
    operations.push_back(std::visit([](const auto& o) { return operation_json(o); }, operation));
  }
  return {{"sender", crypto::to_text(crypto::address_of(transaction.sender))},
          {"sender_key", to_0x(transaction.sender)},
          {"nonce", integer_json(transaction.nonce)},
          {"valid_until_height", integer_json(transaction.valid_until_height)},
          {"operations", std::move(operations)},
          {"memo", to_0x(transaction.memo)}};
}

}  // namespace quorate::rpc
