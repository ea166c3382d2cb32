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

}  // namespace

std::vector<Scenario> client_scenarios() {
  return {
      {"S22",
       "a client with gaps and conflicting nonces",
       {4, 5, 6, 7, 10},
       1,
       s22_byzantine_client},
  };
}

}  // namespace quorate::scenarios
