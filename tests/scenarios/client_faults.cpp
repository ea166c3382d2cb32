// Clients that do what they should not.
#include "tests/scenarios/scenario.hpp"

namespace quorate::scenarios {
namespace {

// Gaps in the nonces and two transactions for one nonce, told to different replicas. None of it
// makes anybody suspect the primary, and of two that conflict exactly one is executed.
void s22_byzantine_client(Stage& stage) {
  stage.begin();
  std::uint64_t suspicions = 0;
  stage.rule([&](const Passing& passing) {
    if (as<pbft::Suspect>(passing) != nullptr) ++suspicions;
    return kPass;
  });
  Clients& clients = stage.clients();
  // Never eligible: nonce 1 does not come before the end.
  std::vector<ledger::TransactionPtr> gaps;
  for (std::uint64_t nonce = 3; nonce <= 6; ++nonce) {
    gaps.push_back(clients.make(nonce));
    clients.submit(static_cast<std::uint32_t>(nonce) % stage.n(), gaps.back());
  }
  stage.run_for(seconds(30));
  stage.expect(stage.height() == Height(0), "a nonce gap was proposed");
  // Two for nonce 1: half of the replicas hear of one, half of the other.
  const auto one = clients.make(1, 1);
  const auto other = clients.make(1, 2);
  const auto half = stage.n() / 2;
  stage.split({[&] {
                 std::set<std::uint32_t> first;
                 for (std::uint32_t i = 0; i < half; ++i) first.insert(i);
                 return first;
               }(),
               stage.all_but([&] {
                 std::set<std::uint32_t> first;
                 for (std::uint32_t i = 0; i < half; ++i) first.insert(i);
                 return first;
               }())});
  for (std::uint32_t i = 0; i < stage.n(); ++i) clients.submit(i, i < half ? one : other);
  stage.run_for(milliseconds(300));
  stage.finale(minutes(1));
  stage.run_for(seconds(20));
  stage.expect(clients.executed(one) != clients.executed(other), "not one of the two");
  stage.expect(suspicions == 0 && stage.left().empty(), "a client made somebody suspect");
}

// The primary serves everybody but one account. The others see that it left out what they gave it,
// while it had room, and replace it.
void s20_censorship(Stage& stage) {
  stage.prepare();
  const PublicKey censored = stage.clients().make(1)->signed_transaction.transaction.sender;
  sim::Script script;
  script.hear = [censored](sim::Villain&, const sim::Frame& frame) {
    const Bytes& body = *frame.body;
    return frame.traffic != node::TrafficClass::transactions ||
           std::search(body.begin(), body.end(), censored.bytes.begin(), censored.bytes.end()) ==
               body.end();
  };
  stage.corrupt(0, script);
  stage.begin();
  // Everybody else has what they need from it.
  stage.clients().talk_to({0});
  stage.clients().load(milliseconds(20));
  stage.run_for(seconds(2));
  const auto transaction = stage.clients().make(1);
  for (std::uint32_t i = 1; i < stage.n(); ++i) stage.clients().submit(i, transaction);
  // Five view timeouts of patience, then a view change.
  stage.await_executed(transaction, 5 * kViewTimeout + 3 * kViewTimeout);
  const bool blamed = std::any_of(stage.left().begin(), stage.left().end(),
                                  [](const auto& note) { return note.cause == "censorship"; });
  stage.expect(blamed, "it was left for another reason");
  stage.finale();
}

// Never late enough to be timed out, and replaced all the same: it makes one block per nine tenths
// of the patience, with blocks that are not full.
void s21_slow_primary(Stage& stage) {
  stage.begin({8, 1, 8});
  stage.clients().load(milliseconds(200));
  std::map<Height, Instant> due;
  stage.rule([&](const Passing& passing) -> Fate {
    const auto* proposal = as<pbft::PrePrepare>(passing);
    if (proposal == nullptr || passing.from != 0) return kPass;
    const Duration delay = stage.status(stage.n() - 1).view_timeout * 9 / 10;
    const Instant at = due.emplace(proposal->core.ballot.height, stage.now() + delay).first->second;
    return at > stage.now() ? held(at - stage.now()) : kPass;
  });
  stage.await("the slow primary is replaced", seconds(40), [&] { return stage.all_in(View(1)); });
  const bool blamed = std::any_of(stage.left().begin(), stage.left().end(),
                                  [](const auto& note) { return note.cause == "throughput"; });
  stage.expect(blamed, "it was left for another reason");
  stage.finale();
}

// A client knows one node, and this one only follows, since its vote log is gone. The first time
// that it passes the transaction on nobody hears it: whoever took it in tries again.
void x14_client_of_an_observer(Stage& stage) {
  stage.begin();
  const std::uint32_t observer = stage.n() - 1;
  stage.clients().submit_to_all(stage.clients().make_next());
  stage.await("a block", seconds(2), [&] {
    return stage.all_correct([&](auto i) { return stage.head(i) == Height(1); });
  });
  if (!stage.ok()) return;
  stage.crash(observer);
  stage.simulation().make_amnesiac(ReplicaId(observer));
  stage.node(observer).disk().wipe(true);
  stage.start(observer);
  stage.await("it follows", seconds(10), [&] { return stage.status(observer).observer; });
  stage.run_for(seconds(1));
  std::uint64_t kept_back = 0;
  const auto unheard = stage.lose([&](const Passing& passing) {
    const bool here =
        passing.from == observer && passing.traffic == node::TrafficClass::transactions;
    kept_back += here ? 1 : 0;
    return here;
  });
  const auto transaction = stage.clients().make_next();
  const auto refusal = stage.clients().submit(observer, transaction);
  stage.run_for(milliseconds(500));
  stage.end_rule(unheard);
  stage.expect(!refusal && kept_back > 0, "it passed nothing on");
  stage.await_executed(transaction, seconds(20));
  stage.finale();
}

// What every primary in turn proposes is lost, and nobody else hears of it. The first of them that
// is heard must propose the transaction once more.
void x15_proposed_in_vain(Stage& stage) {
  stage.begin({8, 4, 1});
  const View heard(stage.n());
  std::set<View> in_vain;
  stage.lose([&](const Passing& passing) {
    const auto* proposal = as<pbft::PrePrepare>(passing);
    if (proposal == nullptr || proposal->core.ballot.view >= heard) return false;
    in_vain.insert(proposal->core.ballot.view);
    return true;
  });
  const auto transaction = stage.clients().make_next();
  stage.clients().submit_to_all(transaction);
  stage.await("every primary has had its turn", minutes(10), [&] { return stage.all_in(heard); });
  stage.expect(in_vain.size() == stage.n(), "somebody proposed nothing");
  stage.await_executed(transaction, seconds(30));
  stage.finale();
}

}  // namespace

std::vector<Scenario> client_scenarios() {
  return {
      {"S22",
       "a client with gaps and conflicting nonces",
       {4, 5, 6, 7, 10},
       1,
       s22_byzantine_client},
      {"S20", "the primary censors one account", {4, 5, 6, 7, 10}, 1, s20_censorship},
      {"X14", "a client of a node that only follows", {4, 7}, 1, x14_client_of_an_observer},
      {"X15", "every primary proposes in vain", {4, 7}, 1, x15_proposed_in_vain},
      {"S21", "the primary is as slow as it can be", {4, 5, 6, 7, 10}, 1, s21_slow_primary},
  };
}

}  // namespace quorate::scenarios
