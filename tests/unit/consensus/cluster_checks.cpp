// What a cluster checks of every message that leaves a machine, and of every engine after each
// step.
#include <catch2/catch.hpp>

#include "tests/unit/consensus/cluster.hpp"

namespace quorate::consensus::test {

namespace {

// A generous reading of the stated bounds: bodies, votes with their map nodes, certificates.
std::size_t memory_bound(const ClusterOptions& options) {
  const std::size_t window = 4 * options.checkpoint_interval;  // 2L
  const std::size_t votes = window * 2 * options.members * 2 * 160;
  const std::size_t slots = window * 2 * 400;
  const std::size_t certificates = 3 * window * (400 + options.members * 70);
  const std::size_t own = window * 1200;
  // A NEW-VIEW with q VIEW-CHANGEs, the own one, and the highest of everybody else.
  const std::size_t certificate = 200 + options.members * 72;
  const std::size_t views =
      (2 * options.members + 1) * (600 + options.checkpoint_interval * 2 * certificate);
  const std::size_t bodies = 4 * options.proposals_in_flight * (1024 + 300);
  return votes + slots + certificates + own + views + bodies + 64 * 1024;
}

}  // namespace

void Cluster::check_sent(std::uint32_t from, const pbft::Message& message) {
  const auto once = [&](int type, View view, Height height, const Digest& content) {
    const auto entry = signed_.try_emplace({from, type, view, height}, content);
    INFO("replica " << from << " type " << type << " height " << height.value());
    REQUIRE(entry.first->second == content);  // I2
  };
  if (const auto* m = std::get_if<pbft::PrePrepare>(&message)) {
    const auto primary = static_cast<std::uint32_t>(m->core.ballot.view.value() % options_.members);
    if (primary == from) once(1, m->core.ballot.view, m->core.ballot.height, m->core.ballot.id);
  } else if (const auto* vote = std::get_if<pbft::Vote>(&message)) {
    once(static_cast<int>(vote->kind), vote->ballot.view, vote->ballot.height, vote->ballot.id);
  } else if (const auto* seal = std::get_if<pbft::Seal>(&message)) {
    once(4, View(0), seal->height, seal->block_hash);
  } else if (const auto* checkpoint = std::get_if<pbft::CheckpointVote>(&message)) {
    once(5, View(0), checkpoint->claim.height, checkpoint->claim.digest);
  } else if (const auto* change = std::get_if<pbft::ViewChangePtr>(&message)) {
    once(7, (*change)->view, Height(0), pbft::stub_of(**change).content);
    View& promised = promised_[from];
    promised = std::max(promised, (*change)->view);
  } else if (const auto* opened = std::get_if<pbft::NewViewPtr>(&message)) {
    const auto primary = static_cast<std::uint32_t>((*opened)->view.value() % options_.members);
    const auto entry = signed_.try_emplace({primary, 8, (*opened)->view, Height(0)},
                                           pbft::stub_of(**opened).content);
    REQUIRE(entry.first->second == pbft::stub_of(**opened).content);
    check_kept(**opened);
  }
  check_durable(from, message);
}

// I6: what some replica has executed stands in every later view that still speaks of its height.
void Cluster::check_kept(const pbft::NewView& message) {
  for (const pbft::Core& core : message.proposals) {
    const std::uint64_t index = core.ballot.height.value() - 1;
    if (index >= agreed_.size()) continue;
    const auto decided = pbft::decode_certificate(agreed_[index].certificate, options_.members);
    REQUIRE(decided);
    if (decided->second.view < message.view) REQUIRE(agreed_[index].id == core.ballot.id);
  }
}

// No vote below a promise, and none in a view whose NEW-VIEW is not durable.
void Cluster::check_views(std::uint32_t from, const pbft::Message& message) {
  const pbft::DurableState& disk = disk_images_.at(from).second;
  if (const auto* change = std::get_if<pbft::ViewChangePtr>(&message)) {
    REQUIRE(disk.promise_view >= (*change)->view);
    REQUIRE(disk.view_change->signature == (*change)->signature);
    return;
  }
  if (const auto* opened = std::get_if<pbft::NewViewPtr>(&message)) {
    REQUIRE(disk.active_view >= (*opened)->view);
    return;
  }
  std::optional<View> view;
  if (const auto* proposal = std::get_if<pbft::PrePrepare>(&message)) {
    const View its = proposal->core.ballot.view;
    if (its.value() % options_.members == from) view = its;
  }
  if (const auto* vote = std::get_if<pbft::Vote>(&message)) view = vote->ballot.view;
  if (!view) return;
  REQUIRE(*view <= disk.active_view);
  REQUIRE(*view >= promised_[from]);
}

// I3: what the disk holds at this moment, were it read after a crash.
void Cluster::check_durable(std::uint32_t from, const pbft::Message& message) {
  const Machine& m = machine(from);
  auto cached = disk_images_.find(from);
  if (cached == disk_images_.end()) {
    auto image = pbft::replay(m.disk, membership_, kClusterPayloadMax);
    REQUIRE(image);
    cached = disk_images_.emplace(from, std::pair{m.disk.size(), std::move(*image)}).first;
  }
  const pbft::DurableState& disk = cached->second.second;
  check_views(from, message);
  const auto within = [&](Height height) {
    REQUIRE(height.value() <= disk.low_watermark().value() + 2 * options_.checkpoint_interval);
  };
  if (const auto* m1 = std::get_if<pbft::PrePrepare>(&message)) {
    // A proof of equivocation forwards what another replica signed.
    if (m1->core.ballot.view.value() % options_.members != from) return;
    within(m1->core.ballot.height);
    REQUIRE(disk.accepted.at(pbft::key_of(m1->core.ballot)).core.ballot == m1->core.ballot);
  } else if (const auto* vote = std::get_if<pbft::Vote>(&message)) {
    within(vote->ballot.height);
    if (vote->kind == pbft::VoteKind::prepare) {
      REQUIRE(disk.accepted.at(pbft::key_of(vote->ballot)).prepare->signature == vote->signature);
    } else {
      REQUIRE(disk.commits.at(pbft::key_of(vote->ballot)).signature == vote->signature);
      REQUIRE(disk.prepared.at(vote->ballot.height).core.ballot == vote->ballot);
    }
  } else if (const auto* seal = std::get_if<pbft::Seal>(&message)) {
    REQUIRE(disk.seals.at(seal->height).signature == seal->signature);
    REQUIRE(m.ledger.at(seal->height.value() - 1).hash == seal->block_hash);
  } else if (const auto* checkpoint = std::get_if<pbft::CheckpointVote>(&message)) {
    REQUIRE(disk.checkpoints.at(checkpoint->claim.height).signature == checkpoint->signature);
    REQUIRE(m.head() >= checkpoint->claim.height);
  }
}

void Cluster::check_status(std::uint32_t replica) {
  Machine& m = machine(replica);
  const Status status = m.engine->status();
  REQUIRE(status.low_watermark >= m.last_status.low_watermark);  // I10
  REQUIRE(status.last_executed >= m.last_status.last_executed);
  REQUIRE(status.promise_view >= m.last_status.promise_view);
  REQUIRE(status.view >= m.last_status.view);
  REQUIRE(status.sealed_to >= m.last_status.sealed_to);
  m.last_status = status;
  REQUIRE(m.engine->memory_bytes() <= memory_bound(options_));  // I8
}

}  // namespace quorate::consensus::test
