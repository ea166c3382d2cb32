#include "tests/unit/rpc/fake_branch.hpp"

#include "crypto/hash.hpp"

namespace quorate::rpc::test {

namespace work = crypto::work;

void prove_by_work(ledger::Genesis& genesis) {
  genesis.consensus.engine = "pow";
  work::Parameters parameters;
  parameters.interval_ms = 1000;
  parameters.depth = kFakeDepth;
  parameters.initial_bits = parameters.limit_bits = kFakeBits;
  genesis.consensus.engine_parameters = work::to_named(parameters);
}

FakeBranch::FakeBranch(const ledger::Genesis& genesis)
    : rules_(work::parse_parameters(genesis.consensus.engine_parameters).value(),
             ledger::chain_id(genesis), genesis.genesis_time,
             ledger::membership(genesis).validators),
      genesis_(rules_.genesis()),
      miner_(genesis.validators.at(0).validator_key) {}

void FakeBranch::work_on(work::Header& header) {
  header.nonce = 0;
  while (!work::double_sha256().meets(header, work::id_of(header))) ++header.nonce;
}

void FakeBranch::spoil(work::Header& header) {
  while (work::double_sha256().meets(header, work::id_of(header))) ++header.nonce;
}

void FakeBranch::mine(std::vector<ledger::TransactionPtr> transactions, const Digest& exec_ref,
                      std::uint64_t seconds) {
  const work::Context& parent = context();
  work::Header header;
  header.chain_id = rules_.chain_id();
  header.parent = parent.id;
  header.height = tip().next();
  header.payload_digest = crypto::hash("quorate/payload/1", {ledger::encode_payload(transactions)});
  header.exec_ref = exec_ref;
  header.time_s = parent.time_s + seconds;
  header.bits = rules_.next_bits(parent);
  header.miner = miner_;
  work_on(header);
  const work::Context context_after = rules_.check(parent, header, work::double_sha256()).value();
  blocks_.push_back({header, context_after, std::move(transactions)});
}

void FakeBranch::cut(Height tip) { blocks_.resize(tip.value()); }

std::uint64_t FakeBranch::depth(Height height) const {
  return height > tip() ? 0 : tip().value() - height.value() + 1;
}

ledger::OrderedBlock FakeBranch::ordered(Height height) const {
  const Block& block = at(height);
  ledger::OrderedBlock out;
  out.height = height;
  out.payload_id = work::id_of(block.header);
  out.proposed_time = WallMs(block.header.time_s * 1000);
  out.proposer = block.header.miner;
  out.transactions = block.transactions;
  out.payload = ledger::encode_payload(block.transactions);
  out.commit_certificate = work::encode(block.header);
  return out;
}

std::optional<Height> FakeBranch::find(const Digest& transaction_id) const {
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    for (const ledger::TransactionPtr& each : blocks_[i].transactions) {
      if (each->id == transaction_id) return Height(i + 1);
    }
  }
  return std::nullopt;
}

std::vector<Bytes> FakeBranch::page(Height from, std::uint32_t limit) const {
  std::vector<Bytes> out;
  for (Height at = from; at <= tip() && out.size() < limit; at = at.next()) {
    out.push_back(work::encode(header(at)));
  }
  return out;
}

}  // namespace quorate::rpc::test
