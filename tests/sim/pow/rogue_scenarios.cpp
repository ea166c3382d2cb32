// Byzantine miners: times, bits, payloads, results and headers that are not what they should be.
#include <cmath>

#include "crypto/work/bits.hpp"
#include "tests/sim/pow/pow_scenarios.hpp"
#include "tests/sim/pow/rogue.hpp"

namespace quorate::sim::pow {
namespace {

using namespace std::chrono_literals;
namespace messages = consensus::pow;

constexpr ReplicaId kRogue(0);
constexpr std::uint64_t kIntervalS = 2;
// Clocks differ by as much, and headers state whole seconds.
constexpr double kSlackS = 2;

// Replica 0 turns into one of so many per cent of the usual hash rate, the others share the rest.
std::unique_ptr<Rogue> turn(Stage& stage, std::uint64_t per_cent) {
  auto out = std::make_unique<Rogue>(stage.simulation(), kRogue);
  const std::uint64_t others = (300 - 3 * per_cent) / 3;
  stage.simulation().share_hash_rate({3 * per_cent, others, others, others},
                                     stage.simulation().hashes_per_second());
  return out;
}

double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

// ---- times ----

// The times that a rogue states, by the number of the case.
std::uint64_t warped_time(Rogue& rogue, std::uint64_t number, const Digest& parent,
                          std::uint64_t found) {
  const std::uint64_t back = rogue.median_time(parent) + 1;
  const std::uint64_t ahead = rogue.now_s() + rogue.future_limit_s();
  switch (number) {
    case 0: return back;
    case 1: return ahead;
    case 2: return found % 2 == 0 ? back : ahead;
    default: return back + rogue.random() % (ahead - back + 1);
  }
}

// How much harder than true times would have it each block of the branch is, as a power of two:
// between what one future limit is worth, and what the age of the newest honest block is.
void judge_difficulty(Stage& stage, const Rogue& rogue,
                      const std::vector<const MinedBlock*>& branch, double half_life_s) {
  // One that true times alone have led to.
  std::size_t at = 0;
  while (at < branch.size() && !branch[at]->byzantine) ++at;
  stage.expect(at >= 10 && at < branch.size(), "the branch begins honestly");
  if (!stage.ok()) return;
  const auto level = [](const MinedBlock& block) {
    return std::log2(static_cast<double>(crypto::work::expected_hashes(block.header.bits)));
  };
  const std::size_t base = at - 1;
  const double base_s = seconds(branch[base - 1]->when.since_origin);
  double newest_honest_s = base_s;
  for (std::size_t i = base + 1; i < branch.size(); ++i) {
    const MinedBlock& parent = *branch[i - 1];
    const double parent_s = seconds(parent.when.since_origin);
    if (!parent.byzantine) newest_honest_s = parent_s;
    const double due_s = static_cast<double>((i - base) * kIntervalS);
    const double truth = level(*branch[base]) + (due_s - (parent_s - base_s)) / half_life_s;
    const double harder_s = (level(*branch[i]) - truth) * half_life_s;
    const double easier_max = static_cast<double>(rogue.future_limit_s()) + kSlackS;
    stage.expect(harder_s >= -easier_max, "height " + std::to_string(i + 1) + " is easier by " +
                                              std::to_string(-harder_s) + " s than by true times");
    stage.expect(harder_s <= parent_s - newest_honest_s + kSlackS,
                 "height " + std::to_string(i + 1) + " is harder by " + std::to_string(harder_s) +
                     " s, the newest honest block being " +
                     std::to_string(parent_s - newest_honest_s) + " s old");
  }
}

std::vector<const MinedBlock*> branch_of(Stage& stage, std::uint32_t replica) {
  std::vector<const MinedBlock*> out;
  const Lottery& lottery = stage.simulation().checks().lottery();
  for (Digest id = stage.branch(replica).tip_id; !id.is_zero(); id = out.back()->header.parent) {
    out.push_back(lottery.find(id));
  }
  return {out.rbegin(), out.rend()};
}

// With nearly half of the hash rate, and a pause of the whole network in the middle. What counts is
// the newest time that a branch states: it is never below that of the newest honest block, nor
// above the clock of whoever takes it in by more than the future limit. So the difficulty is off by
// no more than these seconds are worth on the schedule, and as the schedule is absolute, they are
// not added up: the pace stays what it is.
void timewarp(Stage& stage) {
  stage.begin(setup_of(20 + stage.number(), 3));
  stage.reach(Height(20));
  const auto rogue = turn(stage, 45);
  std::uint64_t found = 0;
  rogue->shape = [&, number = stage.number()](Rogue::Plan& plan) {
    plan.header.time_s = warped_time(*rogue, number, plan.header.parent, found);
  };
  rogue->on_found = [&](const messages::FullBlock& block) {
    ++found;
    rogue->tell_all(block);
  };
  // The genesis is a day older than its chain, so the first blocks are behind the schedule by what
  // counts of a pause, and catch up; that is over after four half-lives.
  stage.run_for(std::chrono::seconds(240));
  const std::uint64_t before = stage.branch(1).tip.value();
  constexpr std::uint64_t kSeconds = 1200;
  stage.run_for(std::chrono::seconds(kSeconds));
  const double pace =
      static_cast<double>((stage.branch(1).tip.value() - before) * kIntervalS) / kSeconds;
  stage.expect(pace > 0.95 && pace < 1.05, "the pace is " + std::to_string(pace));
  stage.expect(found > kSeconds / kIntervalS / 4, "the rogue found its share");
  judge_difficulty(stage, *rogue, branch_of(stage, 1), 60);
  stage.end();
}

// A network that was off, and a rogue that goes on as if it had not been.
void timewarp_after_pause(Stage& stage) {
  stage.begin(setup_of(30 + stage.number(), 3));
  stage.reach(Height(20));
  const auto rogue = turn(stage, 45);
  const std::uint64_t rate = stage.simulation().hashes_per_second();
  rogue->shape = [&](Rogue::Plan& plan) {
    plan.header.time_s = rogue->median_time(plan.header.parent) + 1;
  };
  constexpr std::array<std::int64_t, 3> kPauses{90, 900, 7'200};
  stage.simulation().quiet();
  stage.simulation().share_hash_rate({0, 0, 0, 0}, rate);
  stage.run_for(std::chrono::seconds(kPauses.at(stage.number())));
  stage.simulation().share_hash_rate({45, 18, 18, 19}, rate);
  stage.simulation().keep_busy();
  stage.run_for(120s);
  const std::uint64_t before = stage.branch(1).tip.value();
  constexpr std::uint64_t kSeconds = 900;
  stage.run_for(std::chrono::seconds(kSeconds));
  const double pace =
      static_cast<double>((stage.branch(1).tip.value() - before) * kIntervalS) / kSeconds;
  stage.expect(pace > 0.9 && pace < 1.15, "the pace is " + std::to_string(pace));
  stage.end();
}

void times_outside(Stage& stage) {
  stage.begin(setup_of(40 + stage.number(), 3));
  stage.reach(Height(15));
  const auto rogue = turn(stage, 40);
  rogue->shape = [&, number = stage.number()](Rogue::Plan& plan) {
    const std::uint64_t latest = rogue->now_s() + rogue->future_limit_s();
    plan.outlawed_until = kForever;
    switch (number) {
      case 0: plan.header.time_s = rogue->median_time(plan.header.parent); break;
      case 1: plan.header.time_s = 1; break;
      case 2: plan.header.time_s = latest + 36'000; break;
      default:
        // Its time comes; until then it is nobody's.
        plan.header.time_s = latest + 20;
        plan.outlawed_until = stage.simulation().world().timeline.now() + 18s;
    }
  };
  stage.reach(Height(60));
  stage.end();
}

// ---- bits and work ----

void wrong_bits(Stage& stage) {
  stage.begin(setup_of(50 + stage.number(), 3));
  stage.reach(Height(15));
  const auto rogue = turn(stage, 40);
  const std::uint32_t easiest = rogue->rules().parameters().limit_bits;
  rogue->shape = [&, number = stage.number()](Rogue::Plan& plan) {
    plan.outlawed_until = kForever;
    switch (number) {
      case 0: plan.header.bits = easiest; break;
      case 1: plan.header.bits += 1; break;
      case 2: plan.header.bits -= 1; break;
      default: plan.header.bits = easiest + 0x01000000;  // easier than any may be
    }
  };
  stage.reach(Height(60));
  stage.end();
}

// Headers that prove nothing.
void no_work(Stage& stage) {
  stage.begin(setup_of(60, 3));
  stage.reach(Height(10));
  const auto rogue = turn(stage, 25);
  for (int i = 0; i < 60 && stage.ok(); ++i) {
    Header header = rogue->on_top_of(stage.branch(1).tip_id);
    header.nonce = rogue->random();
    const Bytes nothing = ledger::encode_payload({});
    header.payload_digest = messages::payload_digest(nothing);
    rogue->tell_others(
        messages::FullBlock{messages::identify(header), std::make_shared<const Bytes>(nothing)});
    stage.run_for(1s);
  }
  stage.end();
}

// ---- payloads ----

// Branches of three whose first payload is invalid, and shown last: headers, the others' payloads,
// then that one.
void invalid_payloads(Stage& stage) {
  stage.begin(setup_of(70, 3));
  stage.reach(Height(10));
  const auto rogue = turn(stage, 70);
  std::vector<messages::FullBlock> own;
  rogue->shape = [&](Rogue::Plan& plan) {
    plan.outlawed_until = kForever;
    if (own.empty()) {
      plan.payload = {1, 2, 3};
    } else {
      plan.header = rogue->on_top_of(own.back().header.id);
    }
  };
  std::uint64_t shown = 0;
  rogue->on_found = [&](const messages::FullBlock& block) {
    own.push_back(block);
    if (own.size() < 3) return;
    messages::Announce headers;
    for (const auto& one : own) headers.headers.push_back(one.header);
    rogue->tell_others(headers);
    for (std::size_t i = own.size(); i-- > 0;) rogue->tell_others(own[i]);
    own.clear();
    ++shown;
  };
  stage.run_for(400s);
  stage.expect(shown > 10, "the rogue showed its branches");
  stage.simulation().miner(kRogue).set_hashes_per_second(0);
  stage.run_for(20s);
  for (std::uint32_t replica = 1; replica < 4; ++replica) {
    const auto branch = stage.branch(replica);
    stage.expect(branch.best_header <= branch.tip.next(), "nobody aims at an invalid branch");
  }
  stage.end();
}

// Headers of three blocks at a time on top of whatever the others have, more than a minority could
// find, and no payload of any.
void withheld_payloads(Stage& stage) {
  stage.begin(setup_of(72, 3));
  stage.reach(Height(20));
  Rogue rogue(stage.simulation(), kRogue);
  rogue.on_found = [](const messages::FullBlock&) {};
  stage.simulation().share_hash_rate({0, 1, 1, 1}, stage.simulation().hashes_per_second());
  const std::uint64_t before = stage.branch(1).tip.value();
  constexpr std::uint64_t kSeconds = 600;
  for (std::uint64_t i = 0; i < kSeconds && stage.ok(); ++i) {
    const auto branch = stage.branch(1);
    if (branch.best_header.value() <= branch.tip.value() + 2) {
      messages::Announce news;
      Digest parent = branch.tip_id;
      for (int j = 0; j < 3; ++j) {
        Header header = rogue.on_top_of(parent);
        header.nonce = rogue.random();
        parent = stage.simulation()
                     .checks()
                     .lottery()
                     .win_byzantine(header, stage.simulation().world().timeline.now(), Instant{})
                     .id;
        news.headers.push_back(messages::identify(header));
      }
      rogue.tell_others(news);
    }
    stage.run_for(1s);
  }
  const double pace =
      static_cast<double>((stage.branch(1).tip.value() - before) * kIntervalS) / kSeconds;
  stage.expect(pace > 0.8, "others go on mining, at a pace of " + std::to_string(pace));
  stage.end();
}

// Others' blocks with another payload beside the header, which may arrive first.
void other_payloads(Stage& stage) {
  stage.begin(setup_of(71, 3));
  const auto rogue = turn(stage, 25);
  rogue->on_found = [](const messages::FullBlock&) {};
  std::uint64_t changed = 0;
  stage.simulation().network().add_rule([&](const Letter& letter) -> std::optional<Fate> {
    if (letter.to != Machine(kRogue.value()) || letter.from == letter.to) return std::nullopt;
    if (letter.frame.traffic != node::TrafficClass::consensus) return std::nullopt;
    const auto message = messages::decode(*letter.frame.body, 1U << 20U);
    const auto* block = message ? std::get_if<messages::FullBlock>(&*message) : nullptr;
    if (block == nullptr) return std::nullopt;
    ++changed;
    for (const Bytes& payload : {Bytes{}, Bytes{1, 2, 3}, ledger::encode_payload({})}) {
      if (payload == *block->payload) continue;
      rogue->tell_others(
          messages::FullBlock{block->header, std::make_shared<const Bytes>(payload)});
    }
    return std::nullopt;
  });
  stage.reach(Height(40));
  stage.expect(changed > 20, "the rogue changed payloads");
  stage.end();
}

// ---- floods ----

// Blocks whose parents nobody knows, each of as little work as one may have.
void orphan_flood(Stage& stage) {
  stage.begin(setup_of(80, 3));
  stage.reach(Height(10));
  const auto rogue = turn(stage, 25);
  const Bytes nothing = ledger::encode_payload({});
  for (int i = 0; i < 200 && stage.ok(); ++i) {
    Header header = rogue->on_top_of(stage.branch(1).tip_id);
    for (std::size_t j = 0; j < 40; ++j) {
      header.parent.bytes[j % 8] ^= static_cast<std::uint8_t>(1 + rogue->random() % 255);
      header.nonce = rogue->random();
      header.payload_digest = messages::payload_digest(nothing);
      stage.simulation().checks().lottery().let_pass(header);
      rogue->tell_others(
          messages::FullBlock{messages::identify(header), std::make_shared<const Bytes>(nothing)});
    }
    stage.run_for(200ms);
  }
  for (std::uint32_t replica = 1; replica < 4; ++replica) {
    stage.expect(stage.branch(replica).orphans > 0 && stage.branch(replica).orphans <= 100,
                 "orphans are kept, within bounds");
  }
  const Height before = stage.simulation().height();
  stage.reach(before.saturating_add(10));
  stage.end();
}

// Blocks from the future, which are held for a while.
void future_flood(Stage& stage) {
  stage.begin(setup_of(81, 3));
  stage.reach(Height(10));
  const auto rogue = turn(stage, 25);
  const Bytes nothing = ledger::encode_payload({});
  for (int i = 0; i < 100 && stage.ok(); ++i) {
    for (int j = 0; j < 30; ++j) {
      Header header = rogue->on_top_of(stage.branch(1).tip_id);
      header.time_s += 30 + rogue->random() % 40;
      header.nonce = rogue->random();
      header.payload_digest = messages::payload_digest(nothing);
      stage.simulation().checks().lottery().win_byzantine(
          header, stage.simulation().world().timeline.now(), Instant{});
      rogue->tell_others(
          messages::FullBlock{messages::identify(header), std::make_shared<const Bytes>(nothing)});
    }
    stage.run_for(200ms);
  }
  const Height before = stage.simulation().height();
  stage.reach(before.saturating_add(20));
  stage.end();
}

// To a newcomer who asks for headers the rogue shows the same known one for ever, and says that
// there are more.
void leading_on(Stage& stage) {
  stage.begin(setup_of(82, 3));
  constexpr std::uint32_t kNewcomer = 1;
  stage.simulation().crash(ReplicaId(kNewcomer));
  stage.reach(Height(30));
  const auto rogue = turn(stage, 10);
  rogue->on_found = [](const messages::FullBlock&) {};
  messages::Headers same{true, {}};
  const MinedBlock& first = *branch_of(stage, 2).front();
  same.headers.push_back({first.header, first.id});
  std::uint64_t questions = 0;
  stage.simulation().network().add_rule([&](const Letter& letter) -> std::optional<Fate> {
    if (letter.frame.traffic != node::TrafficClass::consensus) return std::nullopt;
    const auto message = messages::decode(*letter.frame.body, 1U << 20U);
    if (letter.from == Machine(kNewcomer) && letter.to == Machine(kRogue.value()) && message &&
        std::holds_alternative<messages::AskHeaders>(*message)) {
      ++questions;
    }
    if (letter.from != Machine(kRogue.value()) || letter.to != Machine(kNewcomer)) {
      return std::nullopt;
    }
    if (!message || !std::holds_alternative<messages::Headers>(*message)) return std::nullopt;
    Fate fate;
    fate.instead = messages::encode(same);
    return fate;
  });
  stage.simulation().start(ReplicaId(kNewcomer));
  stage.run_for(30s);
  stage.expect(stage.head(kNewcomer) >= Height(30), "the newcomer has the chain within seconds");
  stage.expect(questions > 0, "the rogue was asked");
  stage.expect(questions < 60,
               "the rogue was asked " + std::to_string(questions) + " times in 30 s");
  stage.end();
}

// ---- results ----

void false_results(Stage& stage) {
  stage.begin(setup_of(90 + stage.number(), stage.number() + 1));
  stage.reach(Height(10));
  const auto rogue = turn(stage, 45);
  rogue->shape = [&](Rogue::Plan& plan) {
    plan.header.exec_ref.bytes[0] ^= 1U;
    // Under anybody's name.
    const auto name = static_cast<std::uint32_t>(rogue->random() % 4);
    plan.header.miner = stage.simulation().world().membership.key(ReplicaId(name));
  };
  stage.reach(Height(150));
  stage.end();
}

}  // namespace

std::vector<Scenario> rogue_scenarios() {
  return {
      {"W20", "False times move the difficulty by bounded seconds, and never the pace", 4,
       timewarp},
      {"W21", "After a pause, times from before it move nothing", 3, timewarp_after_pause},
      {"W22", "Times outside the rules are nobody's, or nobody's yet", 4, times_outside},
      {"W23", "Bits that are not exactly those that the rules give are nobody's", 4, wrong_bits},
      {"W24", "Headers without work are nobody's", 1, no_work},
      {"W25", "An invalid payload condemns what stands on it, whatever came first", 1,
       invalid_payloads},
      {"W26", "A payload beside a header that is not its says nothing", 1, other_payloads},
      {"W30", "Payloads that are withheld stop nobody from mining", 1, withheld_payloads},
      {"W27", "A flood of orphans takes bounded memory and stops nothing", 1, orphan_flood},
      {"W28", "A flood from the future takes bounded memory and stops nothing", 1, future_flood},
      {"W31", "Who leads a newcomer on does not keep it from the chain", 1, leading_on},
      {"W29", "Who lies about results halts nobody", 2, false_results},
  };
}

}  // namespace quorate::sim::pow
