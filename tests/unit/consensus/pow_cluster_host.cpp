// What a machine of the cluster does for its engine: disk, network, mining, ledger.
#include <catch2/catch.hpp>
#include <cmath>

#include "consensus/pow/durable_state.hpp"
#include "crypto/work/bits.hpp"
#include "tests/unit/consensus/pow_cluster.hpp"

namespace quorate::consensus::test {

namespace {

std::vector<std::uint32_t> transactions_of(const Bytes& payload) {
  std::vector<std::uint32_t> out;
  crypto::Reader in(payload);
  for (std::uint32_t left = in.count(0, 1U << 20U, 4); left > 0; --left) out.push_back(in.u32());
  return out;
}

}  // namespace

void PowCluster::persist(std::uint32_t index, const Persist& record) {
  machines_[index].unsynced.push_back(record);
  for (const auto& block : blocks_of(record)) {
    parents_[block.header.id] = block.header.header.parent;
  }
  in_life(index, options_.disk_delay, [this, index, token = record.token] {
    PowMachine& machine = machines_[index];
    while (!machine.unsynced.empty() && machine.unsynced.front().token <= token) {
      if (!boundary(index)) return;
      const Persist written = std::move(machine.unsynced.front());
      machine.unsynced.erase(machine.unsynced.begin());
      if (written.snapshot) machine.disk.clear();
      machine.disk.push_back(written.record);
      if (written.snapshot) machine.logged.clear();
      for (const auto& block : blocks_of(written)) {
        machine.logged.insert(block.header.id);
        ever_logged_.insert(block.header.id);
      }
    }
    machine.durable = std::max(machine.durable, token);
    step(index, Persisted{token});
    if (machine.alive()) release(index);
  });
}

std::vector<pow::FullBlock> PowCluster::blocks_of(const Persist& record) const {
  std::vector<Bytes> records{record.record};
  if (!record.snapshot) {
    records.insert(records.begin(), pow::encode_snapshot(membership_.chain_id, {}));
  }
  auto blocks = pow::replay(records, membership_.chain_id, kPowPayloadMax);
  REQUIRE(blocks);
  return std::move(*blocks);
}

void PowCluster::release(std::uint32_t index) {
  PowMachine& machine = machines_[index];
  std::vector<Send> still;
  std::vector<Send> held = std::move(machine.held);
  machine.held.clear();
  for (Send& send : held) {
    if (send.after && *send.after > machine.durable) {
      still.push_back(std::move(send));
      continue;
    }
    if (!boundary(index)) return;
    transmit(index, send);
  }
  machine.held.insert(machine.held.begin(), still.begin(), still.end());
}

void PowCluster::transmit(std::uint32_t from, const Send& send) {
  const auto decoded = pow::decode(send.message, kPowPayloadMax);
  REQUIRE(decoded);
  REQUIRE(pow::encode(*decoded) == send.message);
  check_durable(from, *decoded);
  for (std::uint32_t to = 0; to < options_.members; ++to) {
    if (to == from || (send.to && send.to->value() != to)) continue;
    ++sent[send.type];
    if (filter && !filter(from, to, *decoded)) continue;
    if (options_.loss_percent != 0 && random(100) < options_.loss_percent) continue;
    Duration delay = options_.network_delay;
    if (options_.network_jitter > Duration(0)) {
      delay += Duration(static_cast<std::int64_t>(
          random(static_cast<std::uint64_t>(options_.network_jitter.count()))));
    }
    at(now_ + delay, [this, from, to, message = send.message] {
      if (machines_[to].alive()) REQUIRE(deliver(from, to, message));
    });
  }
}

// An own block is on the disk before anybody hears of it.
void PowCluster::check_durable(std::uint32_t from, const pow::Message& message) const {
  std::vector<pow::Identified> shown;
  if (const auto* news = std::get_if<pow::Announce>(&message)) shown = news->headers;
  if (const auto* answer = std::get_if<pow::Headers>(&message)) shown = answer->headers;
  if (const auto* block = std::get_if<pow::FullBlock>(&message)) shown = {block->header};
  for (const pow::Identified& header : shown) {
    if (header.header.miner == test_key(from)) {
      REQUIRE(ever_logged_.count(header.id) != 0);
    }
  }
}

Result<void> PowCluster::deliver(std::uint32_t from, std::uint32_t to, const Bytes& message) {
  QUORATE_TRY(auto verified, verifier_->verify(ReplicaId(from), message));
  step(to, MessageReceived{ReplicaId(from), std::move(verified)});
  return {};
}

// ---- mining ----

void PowCluster::propose(std::uint32_t index, const RequestProposal& request) {
  PowMachine& machine = machines_[index];
  std::set<std::uint32_t> waiting = machine.pool;
  for (const Digest& id : request.ahead) {
    REQUIRE(machine.known.count(id) != 0);
    for (const std::uint32_t transaction : transactions_of(machine.known[id].second)) {
      waiting.erase(transaction);
    }
  }
  crypto::Writer payload;
  payload.u32(static_cast<std::uint32_t>(waiting.size()));
  for (const std::uint32_t transaction : waiting) payload.u32(transaction);
  payload.raw(Bytes(options_.padding));
  Bytes bytes = std::move(payload).take();
  const Digest digest = verifier_->payload_digest(bytes);
  in_life(index, Duration(0), [this, index, request, bytes, digest] {
    step(index, ProposalReady{request.height, request.view, bytes, digest});
  });
}

void PowCluster::work(std::uint32_t index, const StartWork& start) {
  PowMachine& machine = machines_[index];
  machine.working = start.token;
  if (machine.hashes_per_second <= 0) return;
  const auto header = crypto::work::decode_header(start.puzzle);
  REQUIRE(header);
  const double chance =
      (static_cast<double>(random(1U << 30U)) + 1) / static_cast<double>(1U << 30U);
  const double mean =
      static_cast<double>(crypto::work::expected_hashes(header->bits)) / machine.hashes_per_second;
  const auto wait = Duration(static_cast<std::int64_t>(-std::log(chance) * mean * 1e9));
  in_life(index, wait, [this, index, token = start.token, header = *header] {
    if (machines_[index].working != token) return;
    machines_[index].working.reset();
    step(index, WorkFound{token, lottery_.draw(header)});
  });
}

// ---- the ledger ----

Digest PowCluster::hash_at(const PowMachine& machine, Height height) const {
  if (height == Height(0)) return pow_genesis_hash();
  return machine.ledger.at(height.value() - 1).hash;
}

void PowCluster::check_commit(const PowMachine& machine, const Commit& commit) {
  const auto proved = verifier_->verify_commit_certificate(commit.commit_certificate);
  REQUIRE(proved);
  REQUIRE(proved->height == commit.height);
  REQUIRE(proved->id == commit.id);
  REQUIRE(proved->payload_digest == verifier_->payload_digest(commit.payload));
  REQUIRE(machine.committed.next() == commit.height);
  REQUIRE_FALSE(machine.rewinding);
  const auto branch = *machine.engine->status().branch;
  REQUIRE(branch.tip.value() >= commit.height.value() + options_.depth - 1);
  // Those k that make it deep are on the disk; what stands above them may be on its way there.
  if (walked_.empty() || walked_.front() != branch.tip_id) walked_ = {branch.tip_id};
  const std::uint64_t above = branch.tip.value() - commit.height.value();
  while (walked_.size() <= above) walked_.push_back(parents_.at(walked_.back()));
  REQUIRE(walked_[above] == commit.id);
  for (std::size_t i = 0; i < options_.depth; ++i) {
    REQUIRE(machine.logged.count(walked_[above - i]) != 0);
  }
}

void PowCluster::commit(std::uint32_t index, const Commit& ordered) {
  PowMachine& machine = machines_[index];
  check_commit(machine, ordered);
  machine.committed = ordered.height;
  machine.executing.push_back(ordered);
  in_life(index, options_.execute_delay, [this, index] { execute(index); });
}

void PowCluster::execute(std::uint32_t index) {
  PowMachine& machine = machines_[index];
  if (machine.executing.empty()) return;  // withdrawn
  const Commit ordered = machine.executing.front();
  machine.executing.erase(machine.executing.begin());
  REQUIRE(ordered.height == machine.head().next());
  const auto header = crypto::work::decode_header(ordered.commit_certificate);
  REQUIRE(header);
  REQUIRE(header->parent == (machine.ledger.empty() ? Digest{} : machine.ledger.back().id));
  const Digest before = hash_at(machine, machine.head());
  const Digest hash = pow_block_hash(before, ordered.payload);
  machine.ledger.push_back({ordered.id, hash, ordered.payload, ordered.commit_certificate});
  for (const std::uint32_t transaction : transactions_of(ordered.payload)) {
    REQUIRE(machine.pool.erase(transaction) == 1);  // once in a branch
  }
  forget_payloads(index);
  step(index, Executed{ordered.height, ordered.id, hash, hash, false});
}

// As a host does, which knows nothing of how deep a branch may begin.
void PowCluster::forget_payloads(std::uint32_t index) {
  PowMachine& machine = machines_[index];
  std::erase_if(machine.known, [&](const auto& entry) {
    return entry.second.first.saturating_add(options_.depth) <= machine.head();
  });
}

void PowCluster::rewind(std::uint32_t index, const Rewind& back) {
  PowMachine& machine = machines_[index];
  REQUIRE_FALSE(machine.rewinding);
  REQUIRE(back.height < machine.committed);
  machine.rewinds.push_back(back.height);
  machine.rewinding = back.height;
  in_life(index, 3 * options_.execute_delay, [this, index] {
    PowMachine& later = machines_[index];
    const Height height = *later.rewinding;
    later.executing.clear();
    REQUIRE(later.head() >= height);
    while (later.head() > height) {
      for (const std::uint32_t transaction : transactions_of(later.ledger.back().payload)) {
        later.pool.insert(transaction);
      }
      later.ledger.pop_back();
    }
    later.committed = height;
    later.rewinding.reset();
    step(index, Rewound{height});
  });
}

void PowCluster::load(std::uint32_t index, const LoadPayload& load) {
  in_life(index, std::chrono::milliseconds(1), [this, index, id = load.id] {
    PayloadLoaded answer{id, std::nullopt};
    for (const PowBlock& block : machines_[index].ledger) {
      if (block.id == id) answer.body = PayloadLoaded::Body{block.payload, block.certificate};
    }
    step(index, std::move(answer));
  });
}

void PowCluster::load(std::uint32_t index, const LoadCertificates& load) {
  in_life(index, std::chrono::milliseconds(1), [this, index, load] {
    CertificatesLoaded answer{load.first, {}};
    const PowMachine& machine = machines_[index];
    for (std::uint64_t at = load.first.value();
         at <= machine.ledger.size() && answer.certificates.size() < load.count; ++at) {
      answer.certificates.push_back(machine.ledger[at - 1].certificate);
    }
    step(index, std::move(answer));
  });
}

}  // namespace quorate::consensus::test
