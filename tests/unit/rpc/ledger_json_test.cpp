#include "rpc/json/ledger_json.hpp"

#include "crypto/dev_accounts.hpp"
#include "rpc/json/fields.hpp"

using namespace quorate;
using namespace quorate::rpc;

namespace {

template <class Fixed>
Fixed filled(std::uint8_t first) {
  Fixed out;
  for (std::size_t i = 0; i < Fixed::kSize; ++i)
    out.bytes[i] = static_cast<std::uint8_t>(first + i);
  return out;
}

crypto::Address address(std::uint8_t seed) { return crypto::address_of(filled<PublicKey>(seed)); }

ledger::Header header() {
  ledger::Header out;
  out.chain_id = filled<Digest>(1);
  out.epoch = Epoch(3);
  out.height = Height(12);
  out.parent_hash = filled<Digest>(2);
  out.time = WallMs(1'931'235'245'789);
  out.proposer = filled<PublicKey>(3);
  out.payload_id = filled<Digest>(4);
  out.transaction_count = 2;
  out.transactions_root = filled<Digest>(5);
  out.receipts_root = filled<Digest>(6);
  out.state_root = filled<Digest>(7);
  out.config_hash = filled<Digest>(8);
  out.next_config_hash = filled<Digest>(9);
  return out;
}

ledger::Genesis genesis() {
  ledger::Genesis out;
  out.chain_name = "local-test";
  out.genesis_time = WallMs(1'900'000'000'000);
  for (std::uint8_t i = 0; i < 4; ++i) {
    const std::uint8_t seed = static_cast<std::uint8_t>(10 * i);
    out.validators.push_back({"node" + std::to_string(i), filled<PublicKey>(seed),
                              filled<PublicKey>(static_cast<std::uint8_t>(seed + 100)),
                              "127.0.0.1:" + std::to_string(30645 + i)});
  }
  out.accounts = {{address(1), 1'000'000}, {address(2), UINT64_MAX - 1'000'000}};
  return out;
}

// Reads what was written, through text, as a client does.
template <class T, class Read>
T round_trip(const T& value, Read read) {
  const auto json = parse_json(to_json(value).dump());
  REQUIRE(json);
  auto back = read(*json);
  if (!back) FAIL(back.error().detail);
  return *back;
}

std::string refusal(const Result<ledger::Header>& result) {
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::bad_encoding);
  return result.error().detail;
}

}  // namespace

TEST_CASE("times are RFC 3339 in UTC with milliseconds") {
  CHECK(rfc3339(WallMs(0)) == "1970-01-01T00:00:00.000Z");
  CHECK(rfc3339(WallMs(1'927'861'445'789)) == "2031-02-03T05:04:05.789Z");
  CHECK(rfc3339(WallMs(951'782'400'000)) == "2000-02-29T00:00:00.000Z");
  CHECK(rfc3339(WallMs(253'402'300'799'999)) == "9999-12-31T23:59:59.999Z");
  CHECK(rfc3339(WallMs::max()) == "9999-12-31T23:59:59.999Z");
}

TEST_CASE("a header survives the way through JSON") {
  CHECK(round_trip(header(), header_from_json) == header());
  CHECK(to_json(header())["time"] == "2031-03-14T06:14:05.789Z");
}

TEST_CASE("a header with extreme numbers is written exactly, above 2^53-1 as strings") {
  ledger::Header extreme = header();
  extreme.height = Height::max();
  extreme.time = WallMs(kJsonIntegerMax + 1);
  extreme.epoch = Epoch(kJsonIntegerMax);
  CHECK(round_trip(extreme, header_from_json) == extreme);
  const Json json = to_json(extreme);
  CHECK(json["height"] == "18446744073709551615");
  CHECK(json["time_ms"] == "9007199254740992");
  CHECK(json["epoch"] == 9007199254740991);
}

TEST_CASE("a bad header names the field and what was found") {
  Json json = to_json(header());
  CHECK(refusal(header_from_json(Json::array())) == "header: expected an object, got array");
  json.erase("state_root");
  CHECK(refusal(header_from_json(json)) == "header.state_root: missing");
  json = to_json(header());
  json["height"] = -1;
  CHECK(refusal(header_from_json(json)) ==
        "header.height: expected a non-negative integer, got -1");
  json["height"] = 1.5;
  CHECK(refusal(header_from_json(json)).find("header.height") == 0);
  json["height"] = "12";
  CHECK(refusal(header_from_json(json)).find("header.height") == 0);
  json["height"] = kJsonIntegerMax + 1;
  CHECK(refusal(header_from_json(json)).find("2^53-1") != std::string::npos);
  json = to_json(header());
  json["version"] = 256;
  CHECK(refusal(header_from_json(json)) == "header.version: expected at most 255, got 256");
  json = to_json(header());
  json["parent_hash"] = "0x12";
  CHECK(refusal(header_from_json(json)) == "header.parent_hash: expected 32 bytes, got 1");
  json["parent_hash"] = to_hex(filled<Digest>(1));
  CHECK(refusal(header_from_json(json)).find("0x-hex") != std::string::npos);
}

TEST_CASE("receipts of every outcome and reason survive the way through JSON") {
  ledger::Receipt receipt{filled<Digest>(40)};
  CHECK(round_trip(receipt, receipt_from_json) == receipt);
  receipt.outcome = ledger::Outcome::failed;
  receipt.reason = ledger::Reason::insufficient_funds;
  receipt.failed_operation = 63;
  CHECK(round_trip(receipt, receipt_from_json) == receipt);
  CHECK(to_json(receipt)["reason"] == "insufficient_funds");
  receipt.outcome = ledger::Outcome::skipped;
  receipt.reason = ledger::Reason::balance_overflow;
  CHECK(round_trip(receipt, receipt_from_json) == receipt);
  Json json = to_json(receipt);
  json["reason"] = "because";
  CHECK(receipt_from_json(json).error().detail == "receipt.reason: unknown reason because");
  json["outcome"] = "great";
  CHECK(receipt_from_json(json).error().detail == "receipt.outcome: unknown outcome great");
}

TEST_CASE("a certificate survives, and a wrong hash or disordered seals are refused") {
  ledger::BlockCertificate certificate{header(), {}};
  certificate.seals = {{ReplicaId(0), filled<Signature>(1)}, {ReplicaId(2), filled<Signature>(2)}};
  CHECK(round_trip(certificate, certificate_from_json) == certificate);

  Json json = to_json(certificate);
  json["block_hash"] = to_0x(filled<Digest>(1));
  CHECK(certificate_from_json(json).error().detail ==
        "certificate.block_hash: is not the hash of the header");
  json = to_json(certificate);
  json["seals"][1]["replica"] = 0;
  CHECK(certificate_from_json(json).error().detail ==
        "certificate.seals: not in strictly increasing order");
}

TEST_CASE("Merkle and state proofs survive, over-long ones are refused") {
  const ledger::MerkleProof path{5, 9, {filled<Digest>(1), filled<Digest>(2)}};
  CHECK(round_trip(path, merkle_proof_from_json) == path);
  ledger::StateProof proof{{filled<Digest>(3)}, ledger::StateLeaf{address(4), {UINT64_MAX, 17}}};
  CHECK(round_trip(proof, state_proof_from_json) == proof);
  CHECK(to_json(proof)["leaf"]["balance"] == "18446744073709551615");
  proof.leaf.reset();
  CHECK(round_trip(proof, state_proof_from_json) == proof);
  proof.siblings.resize(257);
  CHECK(state_proof_from_json(to_json(proof)).error().detail ==
        "proof.siblings: at most 256 elements, got 257");
}

TEST_CASE("a genesis survives, with and without a list of submitters") {
  ledger::Genesis value = genesis();
  CHECK(round_trip(value, genesis_from_json) == value);
  CHECK(to_json(value)["permissions"]["submit"] == "any");
  value.submit_any = false;
  CHECK(round_trip(value, genesis_from_json) == value);
  value.submitters = {address(1), address(2)};
  CHECK(round_trip(value, genesis_from_json) == value);
}

TEST_CASE("a genesis file with a slip is refused with the path of the field") {
  const auto detail = [](const Json& json) {
    const auto result = genesis_from_json(json);
    REQUIRE_FALSE(result);
    return result.error().detail;
  };
  const Json good = to_json(genesis());
  Json json = good;
  json["acounts"] = Json::array();
  CHECK(detail(json).find(
            "acounts: unknown field (did you mean 'accounts'?); known here are chain_name") == 0);
  json = good;
  json["accounts"][1]["balance"] = 5;
  CHECK(detail(json) ==
        "accounts[1].balance: expected an amount as a decimal string, like \"1000\", got 5");
  json["accounts"][1]["balance"] = "05";
  CHECK(detail(json).find("accounts[1].balance") == 0);
  json["accounts"][1]["balance"] = "18446744073709551616";
  CHECK(detail(json).find("accounts[1].balance") == 0);
  json = good;
  std::string text = json["accounts"][0]["address"];
  text.back() = text.back() == 'q' ? 'p' : 'q';
  json["accounts"][0]["address"] = text;
  CHECK(detail(json).find("accounts[0].address: ") == 0);
  json = good;
  json["validators"][3].erase("node_key");
  CHECK(detail(json) == "validators[3].node_key: missing");
  json = good;
  json["consensus"]["checkpoint_intervall"] = 1;
  CHECK(detail(json).find("consensus.checkpoint_intervall: unknown field") == 0);
  json = good;
  json["permissions"]["submit"] = "anybody";
  CHECK(detail(json) == "permissions.submit: expected \"any\" or a list of addresses");
}

TEST_CASE("consensus parameters left out of a genesis have their defaults") {
  Json json = to_json(genesis());
  json["consensus"] = {{"engine", "pbft"}};
  CHECK(genesis_from_json(json).value().consensus == ledger::ConsensusParameters{});
}

TEST_CASE("a transaction is shown with its sender, its operations and its memo") {
  ledger::Transaction transaction;
  transaction.sender = filled<PublicKey>(1);
  transaction.nonce = 7;
  transaction.operations = {ledger::Transfer{address(2), 25}};
  transaction.memo = {0xab};
  const Json json = to_json(transaction);
  CHECK(json["sender"] == crypto::to_text(address(1)));
  CHECK(json["nonce"] == 7);
  CHECK(json["operations"][0] ==
        Json({{"kind", "transfer"}, {"to", crypto::to_text(address(2))}, {"amount", "25"}}));
  CHECK(json["memo"] == "0xab");
}
