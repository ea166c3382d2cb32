#include "ledger/audit.hpp"

#include <catch2/catch.hpp>

#include "ledger/memory_store.hpp"
#include "ledger/storage_layout.hpp"
#include "tests/unit/ledger/fixture.hpp"

namespace quorate::ledger {
namespace {

using namespace test;

const Genesis& genesis() {
  static const Genesis value = small_genesis();
  return value;
}

constexpr WallMs kProposed(1'900'000'000'777);

// Stands in for consensus: the fixture's certificate names the payload it was made for, and null
// blocks have no bytes.
Result<ProvedOrder> check_order(Height height, ByteView payload, ByteView certificate) {
  crypto::Writer id;
  id.integer_of(height);
  if (payload.empty()) {
    if (to_bytes(certificate) !=
        to_bytes(crypto::hash("test/payload", {id.view(), encode_payload({})}))) {
      return fail(Errc::bad_signature, "this is no certificate of a null block");
    }
    return ProvedOrder{*Digest::from(certificate), WallMs(0), PublicKey{}};
  }
  const Digest expected = crypto::hash("test/payload", {id.view(), payload});
  if (to_bytes(expected) != to_bytes(certificate)) {
    return fail(Errc::bad_signature, "the certificate is for another payload");
  }
  return ProvedOrder{expected, kProposed, validator_key(0).public_key()};
}

// Six blocks: transfers that succeed, fail and are skipped, a null block, some seals.
std::unique_ptr<MemoryStore> built() {
  auto store = std::make_unique<MemoryStore>();
  auto chain = *Chain::open(*store, genesis());
  const Digest& id = chain->chain_id();
  const auto execute = [&chain](OrderedBlock block) {
    const Height height = block.height;
    REQUIRE(chain->execute({std::move(block)}));
    return *chain->header(height);
  };
  execute(ordered(Height(1), {transfer(id, "anna", 1, "dora", 25)}, kProposed));
  const Header two = execute(
      ordered(Height(2), {transfer(id, "anna", 2, "ben", 5000), transfer(id, "ben", 4, "anna", 1)},
              kProposed));
  execute(null_block(Height(3)));
  const Header four = execute(ordered(Height(4), {transfer(id, "dora", 1, "anna", 5)}, kProposed));
  execute(ordered(Height(5), {transfer(id, "ben", 1, "anna", 5)}, kProposed));
  execute(ordered(Height(6), {}, kProposed));
  REQUIRE(chain->store_seals(Height(4), seals_of(genesis(), four, {1, 2, 3})));
  REQUIRE(chain->store_seals(Height(2), seals_of(genesis(), two, {0, 1, 2, 3})));
  return store;
}

Result<AuditReport> audited(const MemoryStore& store) {
  const crypto::Ed25519Verifier verifier;
  return audit(store, genesis(), verifier, {check_order, {}});
}

std::string verdict(const MemoryStore& store) {
  const auto report = audited(store);
  return report ? "clean" : report.error().detail;
}

using Edit = std::function<void(Bytes&)>;

// The audit's verdict after one stored value was changed.
std::string after(Family family, const Bytes& key, const Edit& edit) {
  auto store = built();
  Bytes value = *store->get(family, key);
  edit(value);
  WriteBatch batch;
  batch.put(family, key, value);
  REQUIRE(store->write(batch, true));
  const auto report = audited(*store);
  if (!report) CHECK(report.error().code == Errc::corrupt);
  return report ? "clean" : report.error().detail;
}

std::string without(Family family, const Bytes& key) {
  auto store = built();
  REQUIRE(store->get(family, key));
  WriteBatch batch;
  batch.puts.push_back({family, key, std::nullopt});
  REQUIRE(store->write(batch, true));
  return verdict(*store);
}

Edit flip(std::size_t at) {
  return [at](Bytes& value) { value.at(at) ^= 1U; };
}

Edit with_header(const std::function<void(Header&)>& change) {
  return [change](Bytes& value) {
    Header header = *decode_header(value);
    change(header);
    value = encode(header);
  };
}

}  // namespace

TEST_CASE("an honest chain passes the audit and is counted") {
  const auto store = built();
  std::vector<std::uint64_t> heights;
  const crypto::Ed25519Verifier verifier;
  const auto report =
      audit(*store, genesis(), verifier, {check_order, [&heights](Height done, Height head) {
                                            CHECK(head == Height(6));
                                            heights.push_back(done.value());
                                          }});
  INFO((report ? "" : report.error().detail));
  REQUIRE(report.has_value());
  CHECK(heights == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6});
  CHECK(report->head == Height(6));
  CHECK(report->transactions == 5);
  CHECK(report->executed == 4);
  CHECK(report->block_certificates == 2);
  CHECK(report->accounts == 4);
  CHECK(report->total_balance == 1500);
}

TEST_CASE("the audit refuses another chain") {
  const auto store = built();
  Genesis other = genesis();
  ++other.accounts[0].balance;
  const crypto::Ed25519Verifier verifier;
  const auto report = audit(*store, other, verifier, {check_order, {}});
  REQUIRE_FALSE(report.has_value());
  CHECK(report.error().code == Errc::conflict);
}

TEST_CASE("the audit finds every changed header field") {
  const auto changed = [](const std::function<void(Header&)>& change) {
    return after(Family::blocks, layout::header_key(Height(5)), with_header(change));
  };
  const Digest wrong = crypto::sha256({});
  CHECK_THAT(changed([&](Header& h) { h.chain_id = wrong; }),
             Catch::Contains("height 5: chain_id"));
  CHECK_THAT(changed([&](Header& h) { h.epoch = Epoch(1); }), Catch::Contains("height 5: epoch"));
  CHECK_THAT(changed([&](Header& h) { h.parent_hash = wrong; }), Catch::Contains("parent_hash"));
  CHECK_THAT(changed([&](Header& h) { h.time = h.time.next(); }), Catch::Contains("5: time"));
  CHECK_THAT(changed([&](Header& h) { h.proposer = {}; }), Catch::Contains("5: proposer"));
  CHECK_THAT(changed([&](Header& h) { h.payload_id = wrong; }), Catch::Contains("5: payload_id"));
  CHECK_THAT(changed([&](Header& h) { ++h.transaction_count; }), Catch::Contains("transaction_co"));
  CHECK_THAT(changed([&](Header& h) { h.transactions_root = wrong; }),
             Catch::Contains("transactio"));
  CHECK_THAT(changed([&](Header& h) { h.receipts_root = wrong; }),
             Catch::Contains("receipts_root"));
  CHECK_THAT(changed([&](Header& h) { h.state_root = wrong; }), Catch::Contains("5: state_root"));
  CHECK_THAT(changed([&](Header& h) { h.config_hash = wrong; }), Catch::Contains("5: config_hash"));
  CHECK_THAT(changed([&](Header& h) { h.next_config_hash = wrong; }),
             Catch::Contains("5: next_config_hash"));
  CHECK_THAT(changed([&](Header& h) { h.height = Height(6); }), Catch::Contains("height 5"));
}

TEST_CASE("the audit finds every changed value and names the height") {
  CHECK_THAT(after(Family::blocks, layout::header_key(Height(0)),
                   with_header([](Header& h) { h.state_root = {}; })),
             Catch::Contains("height 0: state_root"));
  CHECK_THAT(after(Family::blocks, layout::payload_key(Height(2)), flip(100)),
             Catch::Contains("height 2: commit certificate"));
  CHECK_THAT(after(Family::blocks, layout::commit_certificate_key(Height(3)), flip(0)),
             Catch::Contains("height 3: commit certificate"));
  CHECK_THAT(after(Family::blocks, layout::receipts_key(Height(2)), flip(4)),
             Catch::Contains("height 2: receipt 0"));
  CHECK_THAT(after(Family::blocks, layout::receipts_key(Height(2)),
                   [](Bytes& value) {
                     value = Bytes{0, 0, 0, 0};
                   }),
             Catch::Contains("height 2: number of receipts"));
  CHECK_THAT(after(Family::blocks, layout::seals_key(Height(4)), flip(30)),
             Catch::Contains("height 4: block certificate"));
  CHECK_THAT(after(Family::meta, layout::meta_key(layout::kHeadKey), flip(8)),
             Catch::Contains("height 6: head marker"));
  CHECK_THAT(after(Family::state, to_bytes(state_key(address("dora"))), flip(21)),
             Catch::Contains("account " + crypto::to_text(address("dora"))));
}

TEST_CASE("the audit finds wrong index entries") {
  const auto store = built();
  const Header five = *decode_header(*store->get(Family::blocks, layout::header_key(Height(5))));
  CHECK_THAT(after(Family::index, layout::block_hash_key(block_hash(five)), flip(0)),
             Catch::Contains("height 5: block hash index"));
  CHECK_THAT(after(Family::index, layout::payload_id_key(five.payload_id), flip(0)),
             Catch::Contains("height 5: payload id index"));
  const Digest id = transfer(five.chain_id, "ben", 1, "anna", 5)->id;
  CHECK_THAT(after(Family::index, layout::transaction_key(id), flip(8)),
             Catch::Contains("height 5: transaction index of receipt 0"));
  CHECK_THAT(without(Family::index, layout::transaction_key(id)),
             Catch::Contains("height 5: transaction index of receipt 0: it is missing"));
  // An entry that leads nowhere an honest one does.
  WriteBatch batch;
  batch.put(Family::index, layout::transaction_key(Digest{}), layout::encode_position({Height(1)}));
  REQUIRE(store->write(batch, true));
  CHECK_THAT(verdict(*store), Catch::Contains("number of index entries"));
}

TEST_CASE("the audit finds what is missing or too much") {
  for (const Bytes& key :
       {layout::header_key(Height(3)), layout::payload_key(Height(3)),
        layout::commit_certificate_key(Height(3)), layout::receipts_key(Height(3))}) {
    CHECK_THAT(without(Family::blocks, key),
               Catch::Contains("height 3: ") && Catch::Contains("it is missing"));
  }
  CHECK_THAT(without(Family::state, to_bytes(state_key(address("cleo")))),
             Catch::Contains("stored accounts' root"));
  CHECK_THAT(without(Family::blocks, layout::seals_key(Height(4))),
             Catch::Contains("height 4: certified marker's seals"));
  // A height may do without its own block certificate.
  CHECK(without(Family::blocks, layout::seals_key(Height(2))) == "clean");

  auto extra_account = built();
  WriteBatch account;
  account.put(Family::state, to_bytes(state_key(address("eva"))),
              layout::encode_state({address("eva"), {0, 0}}));
  REQUIRE(extra_account->write(account, true));
  CHECK_THAT(verdict(*extra_account), Catch::Contains("account "));

  auto extra_block = built();
  WriteBatch block;
  block.put(Family::blocks, layout::commit_certificate_key(Height(7)), {1});
  REQUIRE(extra_block->write(block, true));
  CHECK_THAT(verdict(*extra_block), Catch::Contains("height 7"));
}

TEST_CASE("the audit checks every client's signature") {
  struct Refuse final : crypto::Verifier {
    bool verify(const PublicKey& key, ByteView, const Signature&) const override {
      return key != account_key("dora").public_key();
    }
  };
  const auto store = built();
  const auto report = audit(*store, genesis(), Refuse(), {check_order, {}});
  REQUIRE_FALSE(report.has_value());
  CHECK_THAT(report.error().detail, Catch::Contains("height 4: transaction 0"));
}

}  // namespace quorate::ledger
